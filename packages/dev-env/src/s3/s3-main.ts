import { startEmbeddedS3 } from './embedded-s3.ts';

/**
 * The embedded S3 server as a process. Settings: `S3_PORT`, `S3_FOLDER`, `S3_REGION`, `ROOT_ACCESS_KEY` and
 * `ROOT_SECRET_KEY`. SIGTERM ends it.
 */
const setting = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is missing`);
  return value;
};

const server = await startEmbeddedS3({
  folder: setting('S3_FOLDER'),
  port: Number(setting('S3_PORT')),
  credentials: {
    accessKeyId: setting('ROOT_ACCESS_KEY'),
    secretAccessKey: setting('ROOT_SECRET_KEY'),
    region: setting('S3_REGION'),
  },
  now: () => new Date(),
});
process.stdout.write(`Embedded S3 server at ${server.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void server.close().then(() => process.exit(0)));
