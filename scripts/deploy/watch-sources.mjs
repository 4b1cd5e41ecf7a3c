// Runs sources and starts them anew when one changes: the command of the image's `dev` stage.
//   node [flags for the sources] watch-sources.mjs main.ts folder...
// Not `node --watch`, which on Linux watches files: one that was replaced, as a sync does it, is seen to change once.
import { spawn } from 'node:child_process';
import { readdirSync, watch } from 'node:fs';
import inspector from 'node:inspector';
import { join } from 'node:path';

/** What comes within this time is one change. */
const settleMs = 100;
const killAfterMs = 5_000;
const isSource = /\.[cm]?[jt]s$/;

const [main, ...roots] = process.argv.slice(2);
const watched = new Map();
let child;
let startAgain = false;
let stopping = false;
let settling;

// A debugger's port is for the sources.
inspector.close();

function watchFolder(folder) {
  if (!watched.has(folder)) {
    const watcher = watch(folder, (_event, name) => changed(name));
    const forget = () => {
      watcher.close();
      watched.delete(folder);
    };
    watcher.once('error', forget);
    watched.set(folder, watcher);
  }
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && !['node_modules', 'dist'].includes(entry.name)) watchFolder(join(folder, entry.name));
  }
}

function changed(name) {
  if (name !== null && name.includes('.') && !isSource.test(name)) return;
  clearTimeout(settling);
  settling = setTimeout(restart, settleMs);
}

function restart() {
  for (const root of roots) watchFolder(root);
  if (!child) return start();
  if (startAgain) return;
  startAgain = true;
  child.kill('SIGTERM');
  const last = child;
  setTimeout(() => last.kill('SIGKILL'), killAfterMs).unref();
}

function start() {
  child = spawn(process.execPath, [...process.execArgv, main], { stdio: 'inherit' });
  child.once('exit', (code, signal) => {
    child = undefined;
    if (stopping) process.exit(code ?? 0);
    if (startAgain) {
      startAgain = false;
      start();
    } else process.stdout.write(`It ended (${code ?? signal}): waiting for a change of its sources.\n`);
  });
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    stopping = true;
    if (child) child.kill(signal);
    else process.exit(0);
  });
}
for (const root of roots) watchFolder(root);
start();
