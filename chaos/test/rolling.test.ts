import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Platform, startPlatform } from '@bluewave/dev-env/platform';
import { runRolling } from '../src/run-rolling.ts';

// Answers that come too late on a busy machine are no business of this test: `npm run chaos -- --rolling` counts them.
describe('a platform that is rolled out anew', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'bluewave-rolling-'));
  let platform: Platform;

  beforeAll(async () => {
    platform = await startPlatform({ dataDir, limits: false, replicas: 2 });
  }, 120_000);

  afterAll(async () => {
    await platform.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }, 60_000);

  it('given people who talk, when every process of every service is restarted in turn, then each ends with 0, every socket is told, and nothing is lost', async () => {
    const result = await runRolling(platform, { seed: 1, report: () => undefined });

    expect(result.restarts.map(({ name, exitCode }) => [name, exitCode])).toEqual(
      ['auth', 'auth-2', 'chat', 'chat-2', 'media', 'media-2', 'push', 'push-2', 'gateway-1', 'gateway-2'].map(
        (name) => [name, 0],
      ),
    );
    expect(Math.max(...result.restarts.map(({ stoppedMs }) => stoppedMs))).toBeLessThan(30_000);
    expect(Object.keys(result.closes)).toEqual(['1012']);
    expect(result.rest.broken).toEqual([]);
    expect(result).toMatchObject({ refused: 0, lost: 0, duplicated: 0, reordered: 0, holes: 0, unresolved: 0 });
    expect([result.acked > 0, result.rest.calls > 0]).toEqual([true, true]);
  }, 600_000);
});
