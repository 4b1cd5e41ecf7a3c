// Finds promtool: on PATH, else (where there is apt) out of this system's package of Prometheus, kept in the user's
// cache. Nothing is installed and no root is needed; apt checks the package's signature.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, CheckError, lastLine, onPath, run } from './tools.mjs';

const downloadMs = 180_000;

/** @returns {path}, or {reason} why there is none. */
export async function findPromtool() {
  const installed = onPath('promtool');
  if (installed) return { path: installed };
  const folder = join(cacheFolder(), `promtool-${process.arch}`);
  const path = join(folder, 'promtool');
  if (existsSync(path)) return { path };
  if (!onPath('apt-get') || !onPath('dpkg'))
    return { reason: 'promtool is not on PATH, and there is no apt to get it' };
  process.stdout.write('promtool is not on PATH: getting it from the package prometheus, once\n');
  const work = mkdtempSync(join(tmpdir(), 'bluewave-promtool-'));
  try {
    const problem = (await download(work)) || (await unpack(work));
    if (problem) return { reason: `promtool is not on PATH, and apt cannot get it: ${problem}` };
    mkdirSync(folder, { recursive: true });
    // Nobody ever sees half of it.
    const part = `${path}.${process.pid}`;
    copyFileSync(join(work, 'usr/bin/promtool'), part);
    renameSync(part, path);
    return { path };
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    return { reason: `promtool is not on PATH, and apt cannot get it: ${error.message}` };
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Images often come without package lists, and a user cannot fetch them into the system: then with lists of our own. */
async function download(work) {
  if ((await apt(work, ['download', 'prometheus'])).code === 0) return '';
  const own = ['lists', 'cache'].map((name) => join(work, name));
  mkdirSync(join(own[0], 'partial'), { recursive: true });
  mkdirSync(join(own[1], 'archives/partial'), { recursive: true });
  const options = ['-o', `Dir::State::lists=${own[0]}`, '-o', `Dir::Cache=${own[1]}`];
  for (const command of [['update'], ['download', 'prometheus']]) {
    const { code, stderr } = await apt(work, [...options, ...command]);
    if (code !== 0) return lastLine(stderr);
  }
  return '';
}

const apt = (cwd, args) => run('apt-get', args, { cwd, env: { ...process.env, LC_ALL: 'C' }, timeoutMs: downloadMs });

async function unpack(work) {
  const [file] = readdirSync(work).filter((name) => name.endsWith('.deb'));
  const { code, stderr } = await run('dpkg', ['-x', file, '.'], { cwd: work });
  if (code !== 0) return lastLine(stderr);
  return existsSync(join(work, 'usr/bin/promtool')) ? '' : 'the package holds no promtool';
}
