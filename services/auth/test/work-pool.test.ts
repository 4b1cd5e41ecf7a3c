import { describe, expect, it } from '@jest/globals';
import { WorkPool } from '../src/credentials/work-pool.ts';
import { refusal } from './support/auth-fixture.ts';

const later = () => Date.now() + 10_000;

/** Jobs that end when told to. */
function gatedJobs() {
  const gates: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const job = async (): Promise<string> => {
    running += 1;
    most = Math.max(most, running);
    await new Promise<void>((resolve) => gates.push(resolve));
    running -= 1;
    return 'done';
  };
  const release = async (): Promise<void> => {
    // Jobs begin a turn of the event loop after their place is theirs.
    await new Promise((resolve) => setImmediate(resolve));
    for (const open of gates.splice(0)) open();
  };
  return { job, release, most: () => most };
}

describe('WorkPool', () => {
  it('given more jobs than turns, when they are run, then at most two run at once and the others wait in line', async () => {
    const pool = new WorkPool({ concurrency: 2, maxQueue: 3, jobMs: 20 });
    const { job, release, most } = gatedJobs();
    const all = Promise.all(Array.from({ length: 5 }, () => pool.run(job, later())));
    expect(pool.queued).toBe(3);
    for (let round = 0; round < 3; round += 1) await release();
    expect(await all).toEqual(['done', 'done', 'done', 'done', 'done']);
    expect([most(), pool.queued]).toEqual([2, 0]);
  });

  it('given a full line, when another job comes, then UNAVAILABLE says when to come back', async () => {
    const pool = new WorkPool({ concurrency: 1, maxQueue: 2, jobMs: 20 });
    const { job, release } = gatedJobs();
    const accepted = Array.from({ length: 3 }, () => pool.run(job, later()));
    expect(await refusal(pool.run(job, later()))).toEqual({ code: 'UNAVAILABLE', retryAfterMs: 40 });
    for (let round = 0; round < 3; round += 1) await release();
    await Promise.all(accepted);
    const next = pool.run(job, later());
    await release();
    expect(await next).toBe('done');
  });

  it('given a job whose deadline passed in line, when its turn comes, then it is not done', async () => {
    const pool = new WorkPool({ concurrency: 1, maxQueue: 2, jobMs: 20 });
    const { job, release } = gatedJobs();
    const first = pool.run(job, later());
    let ran = false;
    const late = refusal(pool.run(async () => void (ran = true), Date.now() - 1));
    await release();
    expect([await first, await late, ran]).toEqual(['done', { code: 'DEADLINE_EXCEEDED' }, false]);
  });

  it('given a job that fails, when others wait, then they get their turns', async () => {
    const pool = new WorkPool({ concurrency: 1, maxQueue: 2, jobMs: 20 });
    const failed = pool.run(() => Promise.reject(new Error('no')), later());
    const next = pool.run(async () => 'done', later());
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('done');
  });
});
