import { builtFile } from '../paths.ts';
import { goBuildInCache, goInstall, type GoProgram } from './go-install.ts';
import { firstFound, type EngineBinary, type LocateContext, type LocateStep } from './locate.ts';
import { onPath } from './on-path.ts';

const built: GoProgram = {
  name: 'versitygw',
  module: 'github.com/versity/versitygw/cmd/versitygw',
  version: 'v1.8.0',
  takes: '1 to 3 minutes',
};

const embedded: LocateStep = async (context) => {
  context.say('S3: using the embedded server (install versitygw or Go for a real one).');
  return { command: process.execPath, args: [builtFile('s3/s3-main.js')], env: {}, source: 'embedded' };
};

/**
 * Finds an S3 server: versitygw on PATH, in the cache or built with Go, else the embedded strict server.
 * `BLUEWAVE_S3=embedded` asks for the latter.
 */
export const locateS3 = (context: LocateContext): Promise<EngineBinary> => {
  const real =
    context.env['BLUEWAVE_S3'] === 'embedded' ? [] : [onPath('versitygw'), goBuildInCache(built), goInstall(built)];
  return firstFound(context, [...real, embedded], 'No S3 server was found.');
};
