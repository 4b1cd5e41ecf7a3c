// Builds the images of the services with docker and says how big they are.
//   npm run images -- --tag 1.2.3 [--service chat]... [--registry registry.example.com] [--repository bluewave]
//                    [--network host] [--target dev] [--node-image node:24-bookworm-slim]
//   npm run images -- --engines [--network host]      the bundled engines, from the programs that npm start uses
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CheckError } from './deploy/tools.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const megabyte = 1_000_000;

/** The output of a program, or undefined when it failed. */
function ask(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', cwd: root });
  return status === 0 ? stdout.trim() : undefined;
}

function fail(message) {
  process.stderr.write(`images: ${message}\n`);
  process.exit(1);
}

function readOptions(services) {
  const { values } = parseArgs({
    options: {
      tag: { type: 'string' },
      service: { type: 'string', multiple: true },
      registry: { type: 'string', default: '' },
      repository: { type: 'string', default: 'bluewave' },
      network: { type: 'string' },
      target: { type: 'string', default: 'runtime' },
      'node-image': { type: 'string', default: 'node:24-bookworm-slim' },
      engines: { type: 'boolean', default: false },
    },
  });
  if (!values.tag && !values.engines) fail('say which tag: npm run images -- --tag dev');
  const unknown = (values.service ?? []).find((service) => !services.includes(service));
  if (unknown) fail(`there is no service ${unknown}: ${services.join(', ')}`);
  return values;
}

function build(service, options, image) {
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  const args = ['build', '--tag', image, '--target', options.target, '--build-arg', `SERVICE=${service}`];
  args.push(
    '--build-arg',
    `VERSION=${version}`,
    '--build-arg',
    `REVISION=${ask('git', ['rev-parse', 'HEAD']) ?? 'unknown'}`,
  );
  args.push('--build-arg', `NODE_IMAGE=${options['node-image']}`);
  if (options.network) args.push('--network', options.network);
  const started = performance.now();
  const environment = { ...process.env, DOCKER_BUILDKIT: '1' };
  const { status, error } = spawnSync('docker', [...args, '.'], { cwd: root, env: environment, stdio: 'inherit' });
  if (error) fail(`docker does not start: ${error.message}`);
  if (status !== 0) fail(`the image of ${service} was not built`);
  return (performance.now() - started) / 1_000;
}

const services = readdirSync(join(root, 'services')).sort();
const options = readOptions(services);
if (ask('docker', ['version', '--format', '{{.Server.Version}}']) === undefined)
  fail('no docker daemon answers: start one');
const prefix = options.registry ? `${options.registry.replace(/\/$/, '')}/` : '';
const size = (image) => Number(ask('docker', ['image', 'inspect', '--format', '{{.Size}}', image]) ?? 0);

/** Runs docker and shows what it says. @throws CheckError */
function docker(args) {
  const { status } = spawnSync('docker', args, { stdio: 'inherit', env: { ...process.env, DOCKER_BUILDKIT: '1' } });
  if (status !== 0) throw new CheckError(`docker ${args[0]} failed`);
}

async function buildEngines() {
  try {
    // Needs what `npm ci` installs; building the services does not.
    const { buildEngineImages } = await import('./deploy/engine-images.mjs');
    const images = await buildEngineImages({ docker, nodeImage: options['node-image'], network: options.network });
    return images.map((image) => ({ image, bytes: size(image) }));
  } catch (error) {
    return fail(error.message);
  }
}

function buildServices() {
  return (options.service ?? services).map((service) => {
    const image = `${prefix}${options.repository}/${service}:${options.tag}`;
    const seconds = build(service, options, image);
    return { image, seconds, bytes: size(image) };
  });
}

const rows = [...(options.engines ? await buildEngines() : []), ...(options.tag ? buildServices() : [])];
const base = size(options['node-image']);
for (const { image, seconds, bytes } of rows) {
  const above = base > 0 ? `, ${((bytes - base) / megabyte).toFixed(1)} MB above its base` : '';
  const took = seconds === undefined ? '' : `  (${seconds.toFixed(0)} s)`;
  process.stdout.write(`${image}  ${(bytes / megabyte).toFixed(1)} MB${above}${took}\n`);
}
