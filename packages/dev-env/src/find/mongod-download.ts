import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { runTool } from '../processes/run-tool.ts';
import { fillCache } from './cache-folder.ts';
import { lastLine, withProgress, type LocateContext, type LocateStep } from './locate.ts';
import { inCache } from './on-path.ts';

/** Knows the official download for each system and release of it; used for nothing else. */
const DOWNLOADER = 'mongodb-memory-server-core';
const DOWNLOADER_VERSION = '11.3.0';
const MONGOD_VERSION = '8.0.12';
const FOLDER = `mongod-${MONGOD_VERSION}`;
const TIMEOUT_MS = 6 * 60_000;

const SCRIPT = `
  const { MongoBinary } = require('${DOWNLOADER}');
  MongoBinary.getPath({ version: '${MONGOD_VERSION}', downloadDir: process.argv[1] }).then(
    (file) => console.log('mongod=' + file),
    (error) => { console.error(error.message); process.exit(1); },
  );
`;

/** A mongod that an earlier run downloaded. */
export const mongodDownloadInCache: LocateStep = inCache(FOLDER, 'mongod');

const fetchMongod = async (context: LocateContext, folder: string): Promise<string> => {
  const work = path.join(folder, 'work');
  await mkdir(path.join(work, 'download'), { recursive: true });
  const options = { cwd: work, env: context.env, timeoutMs: TIMEOUT_MS, signal: context.signal };
  const install = ['install', '--prefix', work, '--no-save', '--ignore-scripts', `${DOWNLOADER}@${DOWNLOADER_VERSION}`];
  const installed = await runTool('npm', install, options);
  if (installed.code !== 0) return lastLine(installed.output);
  const fetched = await runTool(process.execPath, ['-e', SCRIPT, path.join(work, 'download')], options);
  const file = /^mongod=(.+)$/m.exec(fetched.output)?.[1];
  if (fetched.code !== 0 || file === undefined) return lastLine(fetched.output);
  await rename(file, path.join(folder, 'mongod'));
  await rm(work, { recursive: true, force: true });
  return '';
};

/** Downloads mongod from its maker, for the systems that the wheel does not fit. */
export const mongodDownload: LocateStep = async (context) => {
  let problem = '';
  await withProgress(context, `Downloading MongoDB ${MONGOD_VERSION} from mongodb.org (once)`, () =>
    fillCache(context.cacheDir, FOLDER, async (folder) => {
      problem = await fetchMongod(context, folder);
      return problem === '';
    }),
  );
  if (problem !== '') {
    context.say(`MongoDB could not be downloaded (${problem}).`);
    return undefined;
  }
  const found = await mongodDownloadInCache(context);
  return found === undefined ? undefined : { ...found, source: 'download' };
};
