import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { deriveSecrets, generateKeyPem, jwksJson, parseSigningKeys } from '../src/tokens/signing-keys.ts';
import {
  type AuthFixture,
  context,
  freshDatabase,
  refusal,
  registration,
  startFixture,
} from './support/auth-fixture.ts';

let fixture: AuthFixture;
beforeAll(async () => {
  fixture = await startFixture({ TOKEN_ISSUER: 'tests', TOKEN_AUDIENCE: 'testers', ACCESS_TOKEN_SECONDS: '60' });
});
afterAll(() => fixture.close());

type Jwk = { kty: string; crv: string; x: string; y: string; kid: string; alg: string; use: string };
const keysOf = async ({ call }: AuthFixture): Promise<Jwk[]> =>
  (JSON.parse((await call.GetKeys({}, context())).jwksJson) as { keys: Jwk[] }).keys;

describe('access tokens', () => {
  it('given a session, when its token is checked with the published key, then it says who, where and until when', async () => {
    const { user, accessToken, sessionId, deviceId, expiresIn } = await fixture.call.Register(
      registration(),
      context(),
    );
    const [jwk] = await keysOf(fixture);
    expect(Object.keys(jwk ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    const key = createPublicKey({ key: jwk ?? {}, format: 'jwk' });
    const now = Math.floor(fixture.clock.now / 1000);
    const checked = jwt.verify(accessToken, key, {
      ...{ algorithms: ['ES256'], issuer: 'tests', audience: 'testers', clockTimestamp: now, complete: true },
    });
    expect(checked.header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: jwk?.kid });
    expect(checked.payload).toEqual({
      ...{ iss: 'tests', aud: 'testers', sub: user?.user?.id, iat: now, exp: now + 60, sid: sessionId, did: deviceId },
      ...{ username: user?.user?.username, name: 'Ada Lovelace' },
    });
    expect(expiresIn).toBe(60);
  });
});

describe('signing keys', () => {
  it('given no configured key, when replicas start at once on one database, then all sign with the same one', async () => {
    const database = { MONGODB_DATABASE: freshDatabase() };
    const replicas = await Promise.all([startFixture(database), startFixture(database), startFixture(database)]);
    const published = await Promise.all(replicas.map(keysOf));
    expect(new Set(published.map((keys) => JSON.stringify(keys))).size).toBe(1);
    for (const replica of replicas) await replica.close();
  });

  it('given keys that rotate, when the new one signs, then both are published and codes and sessions go on', async () => {
    const [older, newer] = [generateKeyPem(), generateKeyPem()];
    const MONGODB_DATABASE = freshDatabase();
    const before = await startFixture({ MONGODB_DATABASE, TOKEN_KEYS: older });
    const after = await startFixture(
      { MONGODB_DATABASE, TOKEN_KEYS: `${newer}\n${older}`.replaceAll('\n', '\\n') },
      before.clock,
    );
    const request = registration();
    const { refreshToken } = await before.call.Register(request, context());
    const { code } = await before.call.RequestCode({ identifier: request.email, ip: '' }, context());
    const rotated = await before.call.Refresh({ refreshToken, ip: '' }, context());
    expect((await after.call.Refresh({ refreshToken, ip: '' }, context())).refreshToken).toBe(rotated.refreshToken);
    const verified = await after.call.VerifyCode({ identifier: request.email, code, device: null, ip: '' }, context());
    const kids = (await keysOf(after)).map(({ kid }) => kid);
    expect(kids).toEqual([parseSigningKeys(newer)[0].kid, parseSigningKeys(older)[0].kid]);
    expect(jwt.decode(verified.accessToken, { complete: true })?.header.kid).toBe(kids[0]);
    await after.auth.close();
    await before.close();
  });

  it('given a key of RFC 7638, when it is published, then its kid is the thumbprint and nothing private leaves', () => {
    const keys = parseSigningKeys(generateKeyPem());
    const { keys: published } = JSON.parse(jwksJson(keys)) as { keys: Record<string, string>[] };
    expect(published[0]).toEqual({
      ...{ kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) },
      ...{ kid: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/), alg: 'ES256', use: 'sig' },
    });
  });

  it('given openssl’s own format, when it is read, then parameters beside the key do not matter', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const sec1 = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
    const text = `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${sec1}`;
    expect(parseSigningKeys(text)).toHaveLength(1);
  });

  it('given one key, when secrets are derived for two purposes, then they differ, and are the same the next time', () => {
    const keys = parseSigningKeys(generateKeyPem());
    const [codes, refresh, again] = [
      deriveSecrets(keys, 'codes'),
      deriveSecrets(keys, 'refresh'),
      deriveSecrets(keys, 'codes'),
    ];
    expect(codes.byKid.get(codes.current)).toHaveLength(32);
    expect(codes.byKid.get(codes.current)).not.toEqual(refresh.byKid.get(refresh.current));
    expect(again).toEqual(codes);
  });

  const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  it.each([
    ['nothing', '', /holds no unencrypted private key/],
    ['a wrong curve', p384.toString(), /Key 1 of TOKEN_KEYS is not on the curve P-256/],
    [
      'a second key that is broken',
      `${generateKeyPem()}-----BEGIN PRIVATE KEY-----\n${randomBytes(9).toString('base64')}\n-----END PRIVATE KEY-----`,
      /Key 2 of TOKEN_KEYS cannot be read/,
    ],
  ])('given %s, when keys are read, then the error says so', (_what, pem, message) => {
    expect(() => parseSigningKeys(pem)).toThrow(message);
  });

  it('given a token of nobody, when an account is asked for by it, then validation refuses what is no id', async () => {
    expect(await refusal(fixture.call.GetMe({ actorId: 'me' }, context()))).toEqual({
      code: 'VALIDATION_FAILED',
      fields: ['actorId'],
    });
  });
});
