// `npm run chaos:network -- [--seconds 60] [--seed N]`: devices with the TypeScript client behind faulty networks, in front
// of a real platform. Installs and builds what is missing. The last line is JSON; the exit code is 1 on any violation.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loadSettings, platformProjects, prepare } from './prepare.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
await prepare([...platformProjects, 'sdk']);
loadSettings();
const { build } = await import('esbuild');
const outfile = path.join(root, '.cache', 'chaos-network.mjs');
mkdirSync(path.dirname(outfile), { recursive: true });
await build({
  entryPoints: [path.join(root, 'sdk', 'test', 'network', 'main.ts')],
  outfile,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  logLevel: 'warning',
});
await import(pathToFileURL(outfile).href);
