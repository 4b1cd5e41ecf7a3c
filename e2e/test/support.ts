import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Platform, startPlatform } from '@bluewave/dev-env/platform';

/** Two ways into an installation; they may lead to the same gateway. */
export type Doors = { readonly gateways: readonly string[]; end(): Promise<void> };
export type PlatformForTest = Platform & { end(): Promise<void> };

/** A platform of its own for one test file, gone afterwards. */
export async function platformForTest(env: Record<string, string> = {}): Promise<PlatformForTest> {
  const dataDir = mkdtempSync(join(tmpdir(), 'bluewave-e2e-'));
  const platform = await startPlatform({ dataDir, limits: false, env });
  const end = async (): Promise<void> => {
    await platform.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return Object.assign(Object.create(platform) as Platform, { end });
}

/** The installation that E2E_GATEWAYS names (URLs, separated by commas), else a platform of its own. */
export async function doorsForTest(): Promise<Doors> {
  const given = process.env['E2E_GATEWAYS'];
  if (given === undefined) return platformForTest();
  const urls = given.split(',');
  return { gateways: [urls[0] ?? '', urls[1] ?? urls[0] ?? ''], end: () => Promise.resolve() };
}
