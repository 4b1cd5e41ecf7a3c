import { debianPackages, debianPackagesInCache, type DebianProgram } from './debian-packages.ts';
import { firstFound, type EngineBinary, type LocateContext } from './locate.ts';
import { onPath } from './on-path.ts';

const unpacked: DebianProgram = {
  folder: 'redis',
  packages: ['redis-server', 'redis-tools'],
  file: 'usr/bin/redis-server',
  takes: 'a few seconds',
};

const ADVICE =
  'Redis was not found: install it ("sudo apt-get install redis-server", "brew install redis"), or start one with ' +
  '"docker compose up -d" and set REDIS_URL.';

/** Finds redis-server: PATH, cache, the unpacked Debian packages. */
export const locateRedis = (context: LocateContext): Promise<EngineBinary> =>
  firstFound(context, [onPath('redis-server'), debianPackagesInCache(unpacked), debianPackages(unpacked)], ADVICE);
