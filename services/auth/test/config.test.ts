import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@bluewave/runtime/config';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readConfig } from '../src/config.ts';
import { generateKeyPem } from '../src/tokens/signing-keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'auth-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const stores = {
  MONGODB_URL: 'mongodb://db:27017',
  REDIS_URL: 'redis://cache',
  NATS_URL: 'nats://a:4222,nats://b:4222',
};
const pem = generateKeyPem();
const production = { ...stores, TOKEN_KEYS: pem };

describe('readConfig', () => {
  it('given only what is required, when it is read, then everything else has its default', () => {
    expect(readConfig(production)).toEqual({
      ...{
        logLevel: 'info',
        bindHost: '0.0.0.0',
        grpcPort: 50051,
        adminPort: 9090,
        tls: undefined,
        allowedCallers: [],
      },
      ...{ mongodbUrl: 'mongodb://db:27017', mongodbDatabase: 'bluewave_auth', redisUrl: 'redis://cache' },
      slowQueryMs: 200,
      relaxedReads: 'primary',
      natsUrl: 'nats://a:4222,nats://b:4222',
      tokens: { keys: pem, issuer: 'bluewave', audience: 'bluewave', accessSeconds: 900, refreshSeconds: 2_592_000 },
      ...{ echoCodes: false, rateLimits: true, delivery: { smtp: undefined, webhook: undefined } },
    });
  });

  it('given keys in a file or in one line, when they are read, then they are the same PEM', () => {
    const file = join(folder, 'token-keys.pem');
    writeFileSync(file, pem);
    expect(readConfig({ ...stores, TOKEN_KEYS_FILE: file }).tokens.keys).toBe(pem);
    expect(readConfig({ ...stores, TOKEN_KEYS: pem.replaceAll('\n', '\\n') }).tokens.keys).toBe(pem);
  });

  it('given development, when no key is set, then one is to be made and codes may be echoed', () => {
    const config = readConfig({ ...stores, BLUEWAVE_ENV: 'development', DEV_ECHO_CODES: 'true', RATE_LIMITS: 'off' });
    expect([config.tokens.keys, config.echoCodes, config.rateLimits]).toEqual([undefined, true, false]);
  });

  it('given ways to send codes, when they are complete, then both are there', () => {
    const sending = {
      SMTP_URL: 'smtps://mail',
      SMTP_FROM: 'a@b.c',
      CODE_WEBHOOK_URL: 'https://sms',
      CODE_WEBHOOK_SECRET: 'sixteen or more.',
    };
    expect(readConfig({ ...production, ...sending }).delivery).toEqual({
      smtp: { url: 'smtps://mail', from: 'a@b.c' },
      webhook: { url: 'https://sms', secret: 'sixteen or more.' },
    });
  });

  it.each([
    ['MONGODB_URL', { ...production, MONGODB_URL: '' }],
    ['MONGODB_URL', { ...production, MONGODB_URL: 'http://db' }],
    ['REDIS_URL', { ...production, REDIS_URL: 'cache:6379' }],
    ['NATS_URL', { ...production, NATS_URL: 'nats://a,b' }],
    ['GRPC_PORT', { ...production, GRPC_PORT: '65536' }],
    ['ACCESS_TOKEN_SECONDS', { ...production, ACCESS_TOKEN_SECONDS: 'soon' }],
    ['DEV_ECHO_CODES', { ...production, DEV_ECHO_CODES: 'true' }],
    ['RATE_LIMITS', { ...production, RATE_LIMITS: 'off' }],
    ['openssl ecparam', stores],
    ['TOKEN_KEYS and TOKEN_KEYS_FILE', { ...production, TOKEN_KEYS_FILE: 'x' }],
    ['TOKEN_KEYS_FILE cannot be read', { ...stores, TOKEN_KEYS_FILE: join(folder, 'absent') }],
    ['SMTP_FROM', { ...production, SMTP_URL: 'smtp://mail' }],
    ['CODE_WEBHOOK_SECRET', { ...production, CODE_WEBHOOK_URL: 'https://sms' }],
    ['CODE_WEBHOOK_SECRET', { ...production, CODE_WEBHOOK_URL: 'https://sms', CODE_WEBHOOK_SECRET: 'short' }],
  ])('given something wrong, when it is read, then one sentence names %s', (named, environment) => {
    const read = () => readConfig(environment);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(named);
    expect(read).not.toThrow(/\n/);
  });
});
