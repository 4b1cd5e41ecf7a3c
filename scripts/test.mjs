// `npm test`: installs and builds what is missing (end-to-end tests run what was built), then runs jest with the
// arguments given and ends with its exit code. Engines come up in jest's global setup.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import jestConfig, { alone, leftOut } from '../jest.config.mjs';
import { prepare } from './prepare.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

await prepare();
for (const pattern of leftOut) process.stderr.write(`LEFT OUT, as BLUEWAVE_TEST_PYTHON=off asks: ${pattern}\n`);

/** Runs jest, and passes on the signals that end this process. @returns its exit code, above 1 when it was ended */
function runJest(args) {
  const jest = spawn(
    process.execPath,
    [
      // With room for what is young, less of it is copied.
      '--max-semi-space-size=32',
      path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
      ...args,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const passOn = (signal) => jest.kill(signal);
  for (const signal of signals) process.on(signal, passOn);
  return new Promise((resolve) => {
    jest.once('error', (error) => {
      process.stderr.write(`jest could not be run: ${error.message}\n`);
      resolve(1);
    });
    jest.once('exit', (code, signal) => {
      for (const one of signals) process.off(one, passOn);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

const asked = process.argv.slice(2);
const others = ['--testPathIgnorePatterns', ...jestConfig.testPathIgnorePatterns, alone];
const runs = asked.length > 0 ? [asked] : [['--testPathPatterns', alone], others];
for (const args of runs) {
  const code = await runJest(args);
  // The rest is run too when a test failed, so that all that fails is told at once.
  process.exitCode ||= code;
  if (code > 1) break;
}
