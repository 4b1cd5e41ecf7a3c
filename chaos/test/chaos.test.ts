import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Platform, startPlatform } from '@bluewave/dev-env/platform';
import { recoveryGoalMs, runChaos } from '../src/run-chaos.ts';

describe('a platform whose parts are killed', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'bluewave-chaos-'));
  let platform: Platform;

  beforeAll(async () => {
    platform = await startPlatform({ dataDir, limits: false });
  }, 60_000);

  afterAll(async () => {
    await platform.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }, 60_000);

  it('given 30 s of kills, when all has settled, then nothing acked is lost, doubled, reordered or unnotified', async () => {
    const result = await runChaos(platform, { seconds: 30, seed: 7, report: () => undefined });
    // Names the part that was slow, and how slow.
    expect(result.kills.filter(({ recoveredMs }) => recoveredMs > recoveryGoalMs)).toEqual([]);
    expect(result).toMatchObject({
      lost: 0,
      duplicated: 0,
      reordered: 0,
      holes: 0,
      afterRemoval: 0,
      unnotified: 0,
      unresolved: 0,
      examples: [],
      passed: true,
    });
  }, 150_000);
});
