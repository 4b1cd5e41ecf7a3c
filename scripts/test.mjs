// `npm test`: installs and builds what is missing (end-to-end tests run what was built), then runs jest with the
// arguments given and ends with its exit code. Engines come up in jest's global setup.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { leftOut } from '../jest.config.mjs';
import { prepare } from './prepare.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

await prepare();
for (const pattern of leftOut) process.stderr.write(`LEFT OUT, as BLUEWAVE_TEST_PYTHON=off asks: ${pattern}\n`);
const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    // Each suite loads its modules anew: with room for what is young, less of it is copied.
    '--max-semi-space-size=32',
    '--disable-warning=ExperimentalWarning',
    path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => jest.kill(signal));
jest.once('error', (error) => {
  process.stderr.write(`jest could not be run: ${error.message}\n`);
  process.exit(1);
});
jest.once('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
