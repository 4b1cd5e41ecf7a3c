import { debianPackages, debianPackagesInCache, type DebianProgram } from './debian-packages.ts';
import { goBuildInCache, goInstall, type GoProgram } from './go-install.ts';
import { firstFound, type EngineBinary, type LocateContext } from './locate.ts';
import { onPath } from './on-path.ts';

const built: GoProgram = {
  name: 'nats-server',
  module: 'github.com/nats-io/nats-server/v2',
  version: 'v2.15.2',
  takes: 'about 20 seconds',
};

const unpacked: DebianProgram = {
  folder: 'nats',
  packages: ['nats-server'],
  file: 'usr/sbin/nats-server',
  takes: 'a few seconds',
};

const ADVICE =
  'NATS was not found: install it ("sudo apt-get install nats-server", "brew install nats-server"), or start one with ' +
  '"docker compose up -d" and set NATS_URL.';

/** Finds nats-server: PATH, cache, a build with Go (a current server), the unpacked Debian package (2.9). */
export const locateNats = (context: LocateContext): Promise<EngineBinary> =>
  firstFound(
    context,
    [
      onPath('nats-server'),
      goBuildInCache(built),
      debianPackagesInCache(unpacked),
      goInstall(built),
      debianPackages(unpacked),
    ],
    ADVICE,
  );
