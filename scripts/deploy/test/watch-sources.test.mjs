// The development loop: what a sync writes is what runs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { root } from '../chart.mjs';

const folder = mkdtempSync(join(tmpdir(), 'bluewave-watch-'));
const main = join(folder, 'main.mjs');
const own = join(folder, 'own');
const other = join(folder, 'services', 'other');
const source = join(folder, 'services', 'one', 'deep', 'value.mjs');
let process_;
after(async () => {
  process_.kill('SIGTERM');
  await once(process_, 'exit');
  rmSync(folder, { recursive: true, force: true });
});

/** As tar writes it: another file under the same name. */
function replace(text) {
  writeFileSync(`${source}.new`, text);
  renameSync(`${source}.new`, source);
}

it('given sources behind a link that are replaced again and again, broken once, then the newest always runs', async () => {
  mkdirSync(join(folder, 'services', 'one', 'deep'), { recursive: true });
  mkdirSync(other);
  symlinkSync(join('services', 'one'), own);
  writeFileSync(main, "import { x } from './own/deep/value.mjs'; console.log('runs', x); setInterval(() => {}, 1000);");
  replace("export const x = 'at first';");
  const program = join(root, 'scripts/deploy/watch-sources.mjs');
  process_ = spawn(process.execPath, [program, main, own], { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  process_.stdout.on('data', (text) => (said += text));
  const says = async (words) => {
    const until = Date.now() + 20_000;
    while (!said.includes(words)) {
      assert.ok(Date.now() < until, `not heard: ${words}; heard: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await says('runs at first');
  for (const edit of ['first edit', 'second edit', 'third edit']) {
    writeFileSync(join(other, 'value.mjs'), `export const x = 'of another service, ${edit}';`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    replace(`export const x = '${edit}';`);
    await says(`runs ${edit}`);
  }
  replace('this is no source');
  await says('waiting for a change');
  replace("export const x = 'corrected';");
  await says('runs corrected');
  // Each edit once: what other services' sources do starts nothing.
  assert.equal(said.split('runs ').length - 1, 5);
});
