// Images of the engines under the names that the chart uses, made from the programs that `npm start` uses: for
// machines that cannot pull. Linux only, since the programs run inside as they are.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import { CheckError } from './tools.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Part of every Linux image: the ones of the image itself have to be used. */
const ofTheSystem = /^(ld-linux|linux-vdso|libc|libm|libdl|librt|libpthread|libresolv)[.-]/;

/** How each program is found by the development environment. */
const finders = {
  mongodb: ['locate-mongod.js', 'locateMongod', 'mongod'],
  redis: ['locate-redis.js', 'locateRedis', 'redis-server'],
  nats: ['locate-nats.js', 'locateNats', 'nats-server'],
  s3: ['locate-s3.js', 'locateS3', 'versitygw'],
};

async function locate(engine) {
  const [file, finder] = finders[engine];
  const find = join(root, 'packages/dev-env/dist/find');
  if (!existsSync(find))
    throw new CheckError('run `npm run build` first: the development environment finds the engines');
  const load = (name) => import(pathToFileURL(join(find, name)).href);
  const [{ [finder]: search }, { cacheFolder }] = [await load(file), await load('cache-folder.js')];
  const cacheDir = cacheFolder(process.env, root);
  const say = (text) => process.stdout.write(`${text}\n`);
  return search({ env: process.env, cacheDir, platform: process.platform, arch: process.arch, say });
}

/** The shared libraries that a program needs beyond those of every Linux. */
function librariesOf(binary) {
  const environment = { ...process.env, ...binary.env };
  const { stdout } = spawnSync('ldd', [binary.command], { encoding: 'utf8', env: environment });
  const lines = [...(stdout ?? '').matchAll(/^\s*(\S+) => (\/\S+)/gm)];
  return lines.filter(([, name]) => !ofTheSystem.test(name)).map(([, name, path]) => ({ name, path }));
}

function writeContext(folder, binary, program, nodeImage) {
  mkdirSync(join(folder, 'lib'));
  copyFileSync(binary.command, join(folder, program));
  chmodSync(join(folder, program), 0o755);
  for (const { name, path } of librariesOf(binary)) copyFileSync(path, join(folder, 'lib', basename(name)));
  const lines = [
    `FROM ${nodeImage}`,
    `COPY ${program} /usr/local/bin/${program}`,
    'COPY lib /opt/engine/lib',
    'ENV LD_LIBRARY_PATH=/opt/engine/lib',
    'USER 1000:1000',
    `ENTRYPOINT ["${program}"]`,
  ];
  writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
}

/**
 * Builds the four images. @param docker runs docker with arguments and throws when it fails
 * @returns the image names. @throws CheckError when an engine cannot be found
 */
export async function buildEngineImages({ docker, nodeImage, network }) {
  if (process.platform !== 'linux') throw new CheckError('engine images are made on Linux only');
  const { bundled } = parse(readFileSync(join(root, 'helm/bluewave/values.yaml'), 'utf8'));
  const images = [];
  for (const [engine, [, , program]] of Object.entries(finders)) {
    const binary = await locate(engine);
    if (binary.source === 'embedded') throw new CheckError(`${program} was not found: install it or Go`);
    const folder = mkdtempSync(join(tmpdir(), `bluewave-${engine}-`));
    try {
      writeContext(folder, binary, program, nodeImage);
      docker(['build', '--quiet', '--tag', bundled[engine].image, ...(network ? ['--network', network] : []), folder]);
      // A library that is missing, or a system that is too old, shows here and not in the cluster.
      docker(['run', '--rm', '--network', 'none', bundled[engine].image, '--version']);
    } finally {
      rmSync(folder, { recursive: true });
    }
    images.push(bundled[engine].image);
  }
  return images;
}
