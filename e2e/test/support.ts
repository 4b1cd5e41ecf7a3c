import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Platform, startPlatform } from '@bluewave/dev-env/platform';

/** A platform of its own for one test file, gone afterwards. */
export async function platformForTest(env: Record<string, string> = {}): Promise<Platform & { end(): Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'bluewave-e2e-'));
  const platform = await startPlatform({ dataDir, limits: false, env });
  const end = async (): Promise<void> => {
    await platform.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return Object.assign(Object.create(platform) as Platform, { end });
}
