// Fails when an installed package is older than the version that closed a known hole. The list is kept by hand, since
// not every registry answers `npm audit`.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const floors = {
  'socket.io-parser': '4.2.7',
  ws: '8.21.0',
  sharp: '0.35.0',
  protobufjs: '7.5.5',
  jsonwebtoken: '9.0.2',
};

const lock = JSON.parse(readFileSync(fileURLToPath(new URL('../package-lock.json', import.meta.url)), 'utf8'));
const parts = (version) => version.split('-')[0].split('.').map(Number);

function isOlder(version, floor) {
  const [a, b] = [parts(version), parts(floor)];
  const index = [0, 1, 2].find((place) => a[place] !== b[place]);
  return index !== undefined && a[index] < b[index];
}

const old = Object.entries(lock.packages).flatMap(([path, { version }]) => {
  const floor = floors[path.split('node_modules/').at(-1)];
  return path.includes('node_modules/') && floor && isOlder(version, floor) ? [`${path} ${version} < ${floor}`] : [];
});
if (old.length > 0) {
  console.error(`Older than a fixed version:\n${old.join('\n')}`);
  process.exitCode = 1;
}
