import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BareEngine,
  bareMongod,
  bareReplicaSet,
  locateEngine,
  waitForPort,
} from '@bluewave/dev-env/engines/bare-engine';
import { locateNats } from '@bluewave/dev-env/find/locate-nats';
import { freePort } from '@bluewave/dev-env/net/free-port';
import { connect as connectNats } from 'nats';
import { call, eventually, Listener, openDirect, register } from '../../src/api-client.ts';
import { type ServiceName, ServiceProcess } from './support/service-process.ts';

const given = (name: string): string => process.env[`TEST_${name}`] ?? '';
const outside = 'AUTH_ADDRESS CHAT_ADDRESS MEDIA_ADDRESS PUSH_ADDRESS';

const absentCertificates = {
  GRPC_TLS_CA_FILE: '/etc/absent/ca.crt',
  GRPC_TLS_CERT_FILE: '/etc/absent/tls.crt',
  GRPC_TLS_KEY_FILE: '/etc/absent/tls.key',
};

/** The environment of a service that lacks nothing. */
const whole = async (service: ServiceName): Promise<Record<string, string>> => ({
  BLUEWAVE_ENV: 'development',
  START_PATIENCE_SECONDS: '0',
  // A machine that is busy is no set-up to complain of.
  SLOW_QUERY_MS: '0',
  ...(service === 'gateway' ? { RATE_LIMITS: 'off', HTTP_PORT: String(await freePort()) } : {}),
  ...(service === 'gateway' ? {} : { GRPC_PORT: String(await freePort()) }),
  ...Object.fromEntries(outside.split(' ').map((name) => [name, '127.0.0.1:1'])),
  MONGODB_URL: given('MONGODB_URL'),
  MONGODB_DATABASE: `test_setup_${service}_${randomUUID().slice(0, 8)}`,
  REDIS_URL: given('REDIS_URL'),
  NATS_URL: given('NATS_URL'),
  S3_ENDPOINT: given('S3_ENDPOINT'),
  S3_ACCESS_KEY_ID: given('S3_ACCESS_KEY_ID'),
  S3_SECRET_ACCESS_KEY: given('S3_SECRET_ACCESS_KEY'),
});

const running: ServiceProcess[] = [];
const engines: BareEngine[] = [];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bluewave-set-up-'));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await Promise.all(engines.splice(0).map((one) => one.stop()));
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

async function start(service: ServiceName, change: Record<string, string> = {}): Promise<ServiceProcess> {
  const process = await ServiceProcess.start(service, { ...(await whole(service)), ...change });
  running.push(process);
  return process;
}

/** It ends with 1, and the one line that it says is this. */
async function expectRefusal(process: ServiceProcess, says: string | RegExp): Promise<void> {
  expect(await process.exit()).toBe(1);
  expect(process.complaints).toEqual([typeof says === 'string' ? says : expect.stringMatching(says)]);
  expect(process.complaints[0]).not.toContain('\n');
}

describe('a set-up that cannot work: the service ends, and one line says what is wrong and what to do', () => {
  it.each<[string, ServiceName, Record<string, string>, RegExp]>([
    ['no database', 'chat', { MONGODB_URL: '' }, /MONGODB_URL: is required: a mongodb or mongodb\+srv URL/],
    [
      'no signing key',
      'auth',
      { BLUEWAVE_ENV: 'production' },
      /^TOKEN_KEYS_FILE .*openssl ecparam .* name that file\.$/,
    ],
    [
      'a secret that was not mounted',
      'auth',
      { TOKEN_KEYS_FILE: '/etc/absent.pem' },
      /^TOKEN_KEYS_FILE cannot be read: /,
    ],
    ['half of the S3 keys', 'media', { S3_SECRET_ACCESS_KEY: '' }, /S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY belong/],
    [
      'a Firebase account that was not mounted',
      'push',
      { FCM_CREDENTIALS_FILE: '/etc/absent.json' },
      /^FCM_CREDENTIALS_/,
    ],
    ['a part of the certificates', 'chat', { GRPC_TLS_CA_FILE: '/etc/ca.crt' }, /GRPC_TLS_KEY_FILE belong together/],
    [
      'an error hook that was not mounted',
      'chat',
      { ERROR_HOOK: '/etc/absent.mjs' },
      /^ERROR_HOOK \/etc\/absent\.mjs cannot/,
    ],
    ['certificates that were not mounted', 'chat', absentCertificates, /^GRPC_TLS_CA_FILE cannot be read: /],
  ])('given %s, when the service starts', async (_, service, change, says) => {
    await expectRefusal(await start(service, change), says);
  });

  it('given a MongoDB URL where nothing listens, or a name that does not exist, when chat starts', async () => {
    const nobody = await start('chat', { MONGODB_URL: `mongodb://127.0.0.1:${await freePort()}/?replicaSet=rs0` });
    await expectRefusal(nobody, /^MongoDB does not answer at MONGODB_URL: .*ECONNREFUSED.* Check host and port, .*\.$/);
    const unknown = await start('chat', { MONGODB_URL: 'mongodb://nowhere.invalid/?replicaSet=rs0' });
    await expectRefusal(
      unknown,
      /^MongoDB does not answer at MONGODB_URL: .*nowhere\.invalid.* Check the host name\.$/,
    );
  });

  it('given the replica set under another name, when chat starts', async () => {
    const url = given('MONGODB_URL').replace('replicaSet=rs0', 'replicaSet=other');
    const says = "MONGODB_URL says replicaSet=other, and that server's set is called rs0: correct the URL.";
    await expectRefusal(await start('chat', { MONGODB_URL: url }), says);
  });

  it('given a standalone mongod, and one whose set was never initiated, when chat starts', async () => {
    const says = 'MONGODB_URL names a standalone server: start mongod with --replSet and run rs.initiate().';
    const alone = await mongod([]);
    await expectRefusal(await start('chat', { MONGODB_URL: `mongodb://${alone}/` }), says);
    await expectRefusal(await start('chat', { MONGODB_URL: `mongodb://${alone}/?replicaSet=rs0` }), says);
    const raw = await mongod(['--replSet', 'rs0']);
    await expectRefusal(
      await start('chat', { MONGODB_URL: `mongodb://${raw}/?replicaSet=rs0` }),
      'The replica set at MONGODB_URL was never initiated: run rs.initiate() on one member.',
    );
  }, 60_000);

  it('given a mongod that wants a password, when chat comes with a wrong one', async () => {
    writeFileSync(join(folder, 'key'), 'a key file of some length', { mode: 0o400 });
    const host = await mongod(['--replSet', 'rs0', '--keyFile', join(folder, 'key')]);
    const url = `mongodb://chat:wrong-password@${host}/?directConnection=true&authSource=admin`;
    const process = await start('chat', { MONGODB_URL: url });
    await expectRefusal(process, /^MongoDB refuses the user or the password in MONGODB_URL \(.*\): check them, .*\.$/);
    expect(process.complaints[0]).not.toContain('wrong-password');
  }, 30_000);
});

/** A mongod of one's own. @returns host:port, once it answers */
async function mongod(args: readonly string[]): Promise<string> {
  const port = await freePort();
  const dbPath = mkdtempSync(join(folder, 'db-'));
  engines.push(await bareMongod(dbPath, port, args));
  return `127.0.0.1:${port}`;
}

const nats = async (port: number, args: readonly string[]): Promise<BareEngine> => {
  const engine = new BareEngine(await locateEngine(locateNats), [
    '--addr',
    '127.0.0.1',
    '--port',
    String(port),
    ...args,
  ]);
  engines.push(engine);
  await waitForPort(port);
  return engine;
};

describe('a set-up that is incomplete: the service goes on with what it has', () => {
  it('given a MongoDB that comes later than chat, when it is there, then chat serves at once, without a new start', async () => {
    const port = await freePort();
    const url = `mongodb://127.0.0.1:${port}/?replicaSet=rs0`;
    const chat = await start('chat', { MONGODB_URL: url, START_PATIENCE_SECONDS: '60' });
    await eventually(
      () => Promise.resolve(chat.complaints),
      (lines) => lines.length > 0,
      20_000,
    );
    expect(await chat.readiness()).toMatch(/^not ready/);
    engines.push(await bareReplicaSet(mkdtempSync(join(folder, 'late-')), port));
    await chat.waitReady();
    expect(chat.complaints[0]).toMatch(/^MongoDB does not answer at MONGODB_URL: .* Waiting up to 60 s for it\.$/);
    expect(await chat.stop()).toBe(0);
  }, 60_000);

  it('given a bucket at an address that nobody has, when media starts, then it is ready and says so once', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const media = await start('media', { S3_ENDPOINT: endpoint });
    await media.waitReady();
    await eventually(
      () => Promise.resolve(media.complaints),
      (lines) => lines.length > 0,
    );
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(media.complaints).toEqual([
      expect.stringMatching(
        /^Bucket \S+ at \S+ cannot be used: the storage does not answer \(.*\): check S3_ENDPOINT.*Uploads fail until it can, messages do not; trying on\.$/,
      ),
    ]);
    expect(await media.stop()).toBe(0);
  }, 30_000);

  it('given a NATS without JetStream, when people talk, then every message is kept, and published once it has it', async () => {
    const port = await freePort();
    const bare = await nats(port, []);
    const NATS_URL = `nats://127.0.0.1:${port}`;
    const [authPort, chatPort, httpPort] = [await freePort(), await freePort(), await freePort()];
    const addresses = { AUTH_ADDRESS: `127.0.0.1:${authPort}`, CHAT_ADDRESS: `127.0.0.1:${chatPort}` };
    const auth = await start('auth', { NATS_URL, GRPC_PORT: String(authPort) });
    const chat = await start('chat', { NATS_URL, GRPC_PORT: String(chatPort) });
    for (const part of [auth, chat]) await part.waitReady();
    // It waits for nobody here: whom it calls is there before it.
    const gateway = await start('gateway', { NATS_URL, ...addresses, HTTP_PORT: String(httpPort) });
    await gateway.waitReady();
    const door = `http://127.0.0.1:${httpPort}`;
    const [alice, bob] = [await register(door), await register(door)];
    const id = await openDirect(door, alice, bob);
    const bobs = await Listener.connect(door, bob);
    const send = (text: string) =>
      call(door, 'POST', `/conversations/${id}/messages`, {
        token: alice.token,
        body: { clientMsgId: randomUUID(), text },
      });
    expect((await send('without JetStream')).status).toBe(201);
    await bobs.hears('message:new');
    expect(chat.complaints).toEqual([
      'NATS has no JetStream for this user: start nats-server with -js (jetstream {} in its configuration). ' +
        'Notifications wait and live delivery may, messages are kept; trying on.',
    ]);
    await bare.stop();
    await nats(port, ['--jetstream', '--store_dir', join(folder, 'jetstream')]);
    await eventually(
      () => Promise.resolve(chat.lines.map(({ message }) => message)),
      (said) => said.includes('the entries stream is there now'),
      20_000,
    );
    // Entries come in batches: what counts is what they hold.
    const held = async (): Promise<string> => {
      const connection = await connectNats({ servers: NATS_URL });
      const { streams } = await connection.jetstreamManager();
      const { state } = await streams.info('BLUEWAVE_ENTRIES');
      const seqs = Array.from({ length: state.messages }, (_, index) => state.first_seq + index);
      const stored = await Promise.all(seqs.map((seq) => streams.getMessage('BLUEWAVE_ENTRIES', { seq })));
      await connection.close();
      return stored.map(({ data }) => Buffer.from(data).toString('latin1')).join('');
    };
    await eventually(held, (bytes) => bytes.includes('without JetStream'), 20_000);
    const { body } = await call<{ items: { text: string }[] }>(door, 'GET', `/conversations/${id}/messages`, {
      token: bob.token,
    });
    expect(body.items.map(({ text }) => text)).toEqual(['without JetStream']);
    bobs.close();
  }, 90_000);
});
