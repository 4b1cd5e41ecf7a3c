// Writes each workspace's tsconfig.json from its package.json, so that project references never differ from
// dependencies. `--check` only says which files are stale.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');
const folders = [
  ...['packages', 'services'].flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`)),
  ...['e2e', 'chaos', 'bench', 'sdk'],
].sort();
const manifests = new Map(
  folders.map((dir) => [dir, JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'))]),
);
const folderOf = new Map([...manifests].map(([dir, { name }]) => [name, dir]));
const stale = [];

function write(file, value) {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  const path = join(root, file);
  let present;
  try {
    present = JSON.stringify(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    present = undefined;
  }
  if (present === JSON.stringify(value)) return;
  stale.push(file);
  if (!check) writeFileSync(path, text);
}

for (const [dir, { dependencies = {} }] of manifests) {
  const references = Object.keys(dependencies)
    .filter((name) => folderOf.has(name))
    .map((name) => ({ path: relative(dir, folderOf.get(name)) }));
  write(`${dir}/tsconfig.json`, {
    extends: relative(dir, 'tsconfig.base.json'),
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' },
    include: ['src'],
    references,
  });
}
write('tsconfig.json', { files: [], references: folders.map((path) => ({ path })) });

if (check && stale.length > 0) {
  console.error(`Stale: ${stale.join(', ')}. Run \`node scripts/tsconfigs.mjs\`.`);
  process.exitCode = 1;
}
