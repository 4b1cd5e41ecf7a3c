// Removes what was compiled from sources that are gone: the compiler leaves it, and an import of it would go on to work
// here and nowhere else. Done before everything is compiled.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = /\.(?:js|d\.ts)(?:\.map)?$/;

/** Folders with sources of their own: a workspace, or one of a folder of workspaces. */
function projects() {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return workspaces.flatMap((name) => {
    if (!name.endsWith('/*')) return [name];
    const folder = name.slice(0, -2);
    return readdirSync(join(root, folder)).map((one) => join(folder, one));
  });
}

for (const project of projects()) {
  const dist = join(root, project, 'dist');
  if (!existsSync(dist)) continue;
  for (const file of readdirSync(dist, { recursive: true }).map(String)) {
    if (!compiled.test(file)) continue;
    if (!existsSync(join(root, project, 'src', file.replace(compiled, '.ts')))) rmSync(join(dist, file));
  }
}
