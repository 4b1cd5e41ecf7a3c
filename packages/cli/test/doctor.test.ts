import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { BareEngine, bareMongod, locateEngine, waitForPort } from '@bluewave/dev-env/engines/bare-engine';
import { locateNats } from '@bluewave/dev-env/find/locate-nats';
import { locateRedis } from '@bluewave/dev-env/find/locate-redis';
import { freePort } from '@bluewave/dev-env/net/free-port';
import { type Platform, startPlatform } from '@bluewave/dev-env/platform';
import { runDoctor } from '../src/doctor/run-doctor.ts';
import { doctor, issue, type ProxyFaults, startProxy, type TestProxy } from './support.ts';

const origin = 'https://app.example.com';
const folder = mkdtempSync(join(tmpdir(), 'bluewave-doctor-'));
const proxies: TestProxy[] = [];
let platform: Platform;
let door = '';

const proxy = async (faults: ProxyFaults, tls?: { key: string; cert: string }): Promise<string> => {
  const one = await startProxy(door, faults, tls);
  proxies.push(one);
  return one.url;
};

beforeAll(async () => {
  platform = await startPlatform({ dataDir: join(folder, 'data'), env: { CORS_ORIGINS: origin } });
  door = platform.gateways[0] ?? '';
}, 90_000);

afterEach(async () => {
  await Promise.all(proxies.splice(0).map((one) => one.close()));
});

afterAll(async () => {
  await platform.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('bluewave doctor on an installation that is well', () => {
  it('given only a URL, when it is examined, then nothing fails, and what was not looked at says which flag would', async () => {
    const report = await doctor(['--url', door]);
    expect(report.code).toBe(0);
    for (const check of ['door', 'parts', 'WebSocket', 'clock', 'message', 'bucket']) {
      expect([check, ...report.states(check)]).toEqual([check, 'ok']);
    }
    const flags: Record<string, string> = {
      TLS: '--url',
      'CORS of the gateway': '--origin',
      'CORS of the bucket': '--origin',
      'idle WebSocket': '--idle-seconds',
      MongoDB: '--mongodb-url',
      Redis: '--redis-url',
      NATS: '--nats-url',
      FCM: '--fcm-credentials',
    };
    for (const [check, flag] of Object.entries(flags)) {
      expect(report.of(check)).toEqual([
        expect.objectContaining({ state: 'unchecked', fix: expect.stringContaining(flag) }),
      ]);
    }
  }, 60_000);

  it('given the engines, accounts and an origin, when it is examined, then the settings of this machine are told', async () => {
    const { mongodb, redis, nats } = platform.engines;
    const [alice, bob] = platform.users;
    const accounts = `${alice?.username}:${alice?.password},${bob?.username}:${bob?.password}`;
    const engines = ['--mongodb-url', mongodb, '--redis-url', redis, '--nats-url', nats];
    const report = await doctor(['--url', door, ...engines, '--accounts', accounts, '--origin', origin]);
    expect(report.findings.filter(({ state }) => state === 'failed')).toEqual([]);
    expect(report.of('MongoDB').map(({ what }) => what)).toEqual([
      'a majority acknowledges from its journal',
      '1 voting member with data: the loss of one server stops writes or loses data',
      expect.stringMatching(/^every member is well/),
    ]);
    expect(report.of('NATS').map(({ what }) => what)).toEqual([
      expect.stringMatching(/^BLUEWAVE_ENTRIES: on disk, 1 copy, \d+ messages$/),
      expect.stringMatching(/^BLUEWAVE_MEDIA_WORK: on disk, 1 copy, \d+ messages$/),
    ]);
    expect(report.of('Redis')[0]).toMatchObject({ what: 'evicts nothing' });
    expect(report.of('message')).toMatchObject([
      { state: 'ok', what: expect.stringMatching(/^acknowledged .* once$/) },
    ]);
    expect([report.states('CORS of the gateway'), report.states('CORS of the bucket')]).toEqual([['ok'], ['ok']]);
  }, 60_000);

  it('given a certificate of a CA of its own, when it is named, then it is trusted', async () => {
    const authority = issue({ commonName: 'ca', days: 30 });
    const signer = { commonName: 'ca', key: createPrivateKey(authority.key) };
    const url = await proxy({}, issue({ commonName: 'localhost', dnsNames: ['localhost'], days: 30, issuer: signer }));
    writeFileSync(join(folder, 'ca.pem'), authority.cert);
    const report = await doctor(['--url', url, '--ca', join(folder, 'ca.pem')]);
    expect(report.of('TLS')).toMatchObject([
      { state: 'ok', what: expect.stringMatching(/^TLSv1\.3, .* 2\d more days$/) },
    ]);
    expect(report.states('message')).toEqual(['ok']);
  }, 60_000);
});

describe('bluewave doctor on an installation that is broken', () => {
  it('given nothing at the address, when it is examined, then that fails and the rest is not called well', async () => {
    const report = await doctor(['--url', 'http://127.0.0.1:1']);
    expect(report.code).toBe(1);
    expect(report.of('door')[0]).toMatchObject({ state: 'failed', fix: expect.stringContaining('kubectl get pods') });
    expect(report.findings.filter(({ state }) => state === 'ok')).toEqual([]);
  });

  it('given a proxy that does not upgrade, when it is examined, then that is the finding', async () => {
    const report = await doctor(['--url', await proxy({ refuseUpgrade: true })]);
    expect(report.of('WebSocket')).toMatchObject([
      { state: 'failed', what: expect.stringContaining('answered with 400'), fix: expect.stringContaining('Upgrade') },
    ]);
  }, 30_000);

  it('given a proxy that cuts silent connections, when one is held, then it says after how long', async () => {
    const report = await doctor(['--url', await proxy({ cutAfterMs: 1_500 }), '--idle-seconds', '5']);
    expect(report.of('idle WebSocket')).toMatchObject([
      { state: 'failed', what: expect.stringMatching(/^cut after \d/), fix: expect.stringContaining('time-out') },
    ]);
  }, 30_000);

  it('given a server whose clock is 90 s behind, when it is examined, then it says so', async () => {
    const url = await proxy({
      headers: (headers) => {
        headers['date'] = new Date(Date.now() - 90_000).toUTCString();
      },
    });
    const asked = performance.now();
    const report = await doctor(['--url', url, '--no-message']);
    const tookMs = performance.now() - asked;
    const [finding] = report.of('clock');
    expect(finding).toMatchObject({ state: 'failed', what: expect.stringMatching(/ \d+ ms behind/) });
    const behindMs = Number(/(\d+) ms behind/.exec(finding?.what ?? '')?.[1]);
    // The least distance that explains the answer, whose date has no milliseconds.
    expect(behindMs).toBeLessThan(91_000);
    expect(behindMs).toBeGreaterThan(89_000 - tookMs);
    expect([...report.states('message'), ...report.states('bucket')]).toEqual(['unchecked', 'unchecked']);
  });

  it('given certificates that are self-signed, of another name or about to end, when examined, then each is told', async () => {
    const signed = (commonName: string, days: number, now = new Date()) =>
      proxy({}, issue({ commonName, dnsNames: [commonName], days, now }));
    const finding = async (url: string, ...more: string[]) =>
      (await doctor(['--url', url, '--no-message', ...more])).of('TLS')[0];
    expect(await finding(await signed('localhost', 30))).toMatchObject({
      state: 'failed',
      fix: expect.stringContaining('--ca'),
    });
    const authority = issue({ commonName: 'ca', days: 30 });
    writeFileSync(join(folder, 'other.pem'), authority.cert);
    const issuer = { commonName: 'ca', key: createPrivateKey(authority.key) };
    const leaf = (commonName: string, days: number, now = new Date()) =>
      proxy({}, issue({ commonName, dnsNames: [commonName], days, issuer, now }));
    const ca = ['--ca', join(folder, 'other.pem')];
    expect(await finding(await leaf('elsewhere', 30), ...ca)).toMatchObject({
      state: 'failed',
      fix: expect.stringContaining('host name'),
    });
    expect(await finding(await leaf('localhost', 3), ...ca)).toMatchObject({ state: 'warning' });
    const lastYear = new Date(Date.now() - 365 * 86_400_000);
    expect(await finding(await leaf('localhost', 10, lastYear), ...ca)).toMatchObject({
      state: 'failed',
      fix: expect.stringContaining('Renew'),
    });
  }, 30_000);

  it('given an origin that is not allowed, when it is tried, then the setting is named', async () => {
    const report = await doctor(['--url', door, '--origin', 'https://other.example.com', '--no-message']);
    expect(report.of('CORS of the gateway')).toMatchObject([
      { state: 'failed', fix: expect.stringContaining('CORS_ORIGINS') },
    ]);
  });

  it('given engines that are not there, when examined, then each fails with its fix', async () => {
    const nowhere = ['--mongodb-url', 'mongodb://127.0.0.1:1/', '--redis-url', 'redis://127.0.0.1:1'];
    const report = await doctor(['--url', door, ...nowhere, '--nats-url', 'nats://127.0.0.1:1', '--no-message']);
    expect([report.states('MongoDB'), report.states('Redis'), report.states('NATS')]).toEqual([
      ['failed'],
      ['failed'],
      ['failed'],
    ]);
    expect(report.code).toBe(1);
  }, 30_000);

  it('given engines that forget what they were told, when examined, then each fails with the setting to change', async () => {
    const [mongoPort, redisPort, natsPort] = [await freePort(), await freePort(), await freePort()];
    const dbPath = mkdtempSync(join(folder, 'db-'));
    const engines = [
      await bareMongod(dbPath, mongoPort, []),
      new BareEngine(await locateEngine(locateRedis), [
        ...['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'allkeys-lru'],
      ]),
      new BareEngine(await locateEngine(locateNats), ['--addr', '127.0.0.1', '--port', String(natsPort)]),
    ];
    await Promise.all([waitForPort(redisPort), waitForPort(natsPort)]);
    const report = await doctor([
      ...['--url', door, '--no-message', '--mongodb-url', `mongodb://127.0.0.1:${mongoPort}/`],
      ...['--redis-url', `redis://127.0.0.1:${redisPort}`, '--nats-url', `nats://127.0.0.1:${natsPort}`],
    ]);
    await Promise.all(engines.map((engine) => engine.stop()));
    expect(report.of('MongoDB')).toMatchObject([{ state: 'failed', fix: expect.stringContaining('--replSet') }]);
    expect(report.of('NATS')).toMatchObject([{ state: 'failed', what: expect.stringContaining('no JetStream') }]);
    expect(report.of('Redis')).toMatchObject([
      { state: 'failed', fix: expect.stringContaining('noeviction') },
      { state: 'warning', fix: expect.stringContaining('maxmemory') },
      { state: 'warning', fix: expect.stringContaining('appendonly') },
    ]);
  }, 60_000);

  it('given a message that cannot be written, when it is sent, then the finding says where to look', async () => {
    await platform.kill('chat', 'SIGSTOP');
    const report = await doctor(['--url', door]);
    await platform.kill('chat', 'SIGCONT');
    expect(report.of('message')).toMatchObject([{ state: 'failed', fix: expect.stringContaining('log of chat') }]);
  }, 60_000);

  it('given wrong arguments, when it is run, then it says which and ends with 2', async () => {
    let said = '';
    const write = (text: string): void => void (said += text);
    expect(await runDoctor([], {}, write)).toBe(2);
    expect(await runDoctor(['--url', 'ftp://x'], {}, write)).toBe(2);
    expect(await runDoctor(['--url', door, '--accounts', 'alice'], {}, write)).toBe(2);
    expect(await runDoctor(['--urll', door], {}, write)).toBe(2);
    expect(said).toMatch(/--url is needed.*no http or https URL.*two accounts.*--urll/s);
    expect(await runDoctor(['--help'], {}, write)).toBe(0);
  });
});

describe('bluewave doctor and FCM', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const account = (change: object) => {
    const file = join(folder, `account-${Math.random()}.json`);
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const whole = { project_id: 'p', client_email: 'push@p.example.com', private_key: key, token_uri: tokens };
    writeFileSync(file, JSON.stringify({ ...whole, ...change }));
    return file;
  };
  /** Google's token endpoint, as far as its two answers go. */
  const google = createServer((request, response) => {
    const refused = request.url === '/refused';
    response.writeHead(refused ? 400 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(refused ? { error: 'invalid_grant' } : { access_token: 'token' }));
  });
  let tokens = '';

  beforeAll(async () => {
    google.listen(0, '127.0.0.1');
    await once(google, 'listening');
    tokens = `http://127.0.0.1:${(google.address() as AddressInfo).port}`;
  });
  afterAll(() => void google.close());

  const findings = async (file: string) =>
    (await doctor(['--url', door, '--no-message', '--fcm-credentials', file], { FCM_ENDPOINT: platform.fcm })).of(
      'FCM',
    );

  it('given a service account that works, when it is tried, then nothing is sent and it is well', async () => {
    expect(await findings(account({}))).toMatchObject([{ state: 'ok', what: 'p may send (nothing was sent)' }]);
    const inbox = (await (await fetch(`${platform.fcm}/inbox?token=bluewave-doctor`)).json()) as { items: object[] };
    expect(inbox.items).toEqual([]);
  });

  it('given an account that is refused, half or absent, when it is tried, then each has its fix', async () => {
    expect(await findings(account({ token_uri: `${tokens}/refused` }))).toMatchObject([
      { state: 'failed', what: expect.stringContaining('invalid_grant') },
    ]);
    expect(await findings(account({ private_key: '' }))).toMatchObject([
      { state: 'failed', what: expect.stringContaining('lacks private_key') },
    ]);
    expect(await findings(join(folder, 'absent.json'))).toMatchObject([
      { state: 'failed', what: expect.stringContaining('ENOENT') },
    ]);
  });
});
