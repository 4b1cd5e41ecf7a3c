// `npm run chaos` and `npm run bench`: installs and builds what is missing, then runs a built module in this process.
// Usage: node scripts/run.mjs <folder>/dist/main.js [arguments]
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadSettings, platformProjects, prepare } from './prepare.mjs';

const [module, ...args] = process.argv.slice(2);
if (module === undefined) {
  process.stderr.write('Which module shall run? Usage: node scripts/run.mjs <module> [arguments]\n');
  process.exit(1);
}
await prepare([...platformProjects, module.split('/dist/')[0]]);
loadSettings();
// The module sees its own arguments where it would see them if it had been called directly.
process.argv.splice(1, process.argv.length - 1, path.resolve(module), ...args);
await import(pathToFileURL(path.resolve(module)).href);
