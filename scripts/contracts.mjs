// Writes docs/contracts/{openapi,asyncapi}.json from packages/api. With --check: fails when they are out of date.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const built = spawnSync(process.execPath, [tsc, '-b', 'packages/api'], { cwd: root, stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

const { openApiDocument } = await import('../packages/api/dist/openapi.js');
const { asyncApiDocument } = await import('../packages/api/dist/asyncapi.js');

const folder = join(root, 'docs/contracts');
const stale = [];
for (const [name, document] of [
  ['openapi.json', openApiDocument()],
  ['asyncapi.json', asyncApiDocument()],
]) {
  const path = join(folder, name);
  const text = `${JSON.stringify(document, null, 2)}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale.push(`docs/contracts/${name}`);
  if (process.argv.includes('--check')) continue;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, text);
}
if (process.argv.includes('--check') && stale.length > 0) {
  process.stderr.write(`Out of date: ${stale.join(', ')}. Run: node scripts/contracts.mjs\n`);
  process.exit(1);
}
