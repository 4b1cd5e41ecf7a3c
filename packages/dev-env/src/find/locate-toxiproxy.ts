import { goBuildInCache, goInstall, type GoProgram } from './go-install.ts';
import type { EngineBinary, LocateContext } from './locate.ts';
import { onPath } from './on-path.ts';

/** The program is called after its folder. */
const built: GoProgram = {
  name: 'server',
  module: 'github.com/Shopify/toxiproxy/v2/cmd/server',
  version: 'v2.5.0',
  takes: 'about half a minute',
};

/**
 * Finds toxiproxy, which spoils networks for tests: on PATH, in the cache or built with Go. Undefined where there is
 * none: it is no part of the platform, and its users have a way without it.
 */
export const locateToxiproxy = async (context: LocateContext): Promise<EngineBinary | undefined> => {
  for (const step of [onPath('toxiproxy-server'), goBuildInCache(built), goInstall(built)]) {
    context.signal?.throwIfAborted();
    const found = await step(context);
    if (found !== undefined) return found;
  }
  return undefined;
};
