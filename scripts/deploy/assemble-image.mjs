// Lays out what one service's image holds: its own and its packages' compiled code, their production dependencies,
// the protos, and `main.js` as the way in. Runs inside the image build, so it uses Node's own modules only.
//   node assemble-image.mjs --service chat --dependencies DIR --built DIR --out DIR
import { cpSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Files that no running service opens; licence texts stay. */
const unused = new Set(['.map', '.ts', '.mts', '.cts', '.md', '.markdown', '.tsbuildinfo', '.flow']);
/** Names in a dependency that hold its own tests and build leftovers. */
const unusedNames = new Set(['.github', '.tsbuildinfo', 'tsconfig.json']);
/** What stays behind of a workspace: its compiled code and its other files are taken. */
const sources = new Set(['src', 'test', 'node_modules', 'tsconfig.json']);

const { values } = parseArgs({
  options: {
    service: { type: 'string' },
    dependencies: { type: 'string' },
    built: { type: 'string' },
    out: { type: 'string' },
  },
});
const { service, dependencies, built, out } = values;
if (!service || !dependencies || !built || !out) {
  throw new Error('usage: assemble-image.mjs --service NAME --dependencies DIR --built DIR --out DIR');
}

/** The workspace folders (packages/x, services/x) that the install of this service linked. */
function linkedWorkspaces() {
  const scope = join(dependencies, 'node_modules/@bluewave');
  return readdirSync(scope)
    .map((name) => relative(dependencies, resolve(scope, readlinkSync(join(scope, name)))))
    .sort();
}

/** Removes what is never opened below a folder; links are left as they are. */
function prune(directory) {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const stat = lstatSync(path);
    if (unusedNames.has(name) || (stat.isFile() && unused.has(extname(name)))) rmSync(path, { recursive: true });
    else if (stat.isDirectory()) prune(path);
  }
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

const workspaces = linkedWorkspaces();
const own = `services/${service}`;
if (!workspaces.includes(own)) throw new Error(`the install linked no ${own}: ${workspaces.join(', ')}`);
const foreign = workspaces.filter((path) => path.startsWith('services/') && path !== own);
if (foreign.length > 0) throw new Error(`${own} depends on another service: ${foreign.join(', ')}`);

copy(join(dependencies, 'node_modules'), join(out, 'node_modules'));
rmSync(join(out, 'node_modules/.package-lock.json'), { force: true });
for (const path of workspaces) {
  for (const name of readdirSync(join(built, path))) {
    if (!sources.has(name)) copy(join(built, path, name), join(out, path, name));
  }
  const nested = join(dependencies, path, 'node_modules');
  if (lstatSync(nested, { throwIfNoEntry: false })) copy(nested, join(out, path, 'node_modules'));
}
prune(out);
copy(join(built, 'proto'), join(out, 'proto'));
symlinkSync(`services/${service}/dist/main.js`, join(out, 'main.js'));
process.stdout.write(`${own} with ${workspaces.filter((path) => path !== own).join(', ')}\n`);
