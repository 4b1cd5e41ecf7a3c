import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call, eventually, Listener, openDirect, register, type SessionBody } from '../src/api-client.ts';
import { type Doors, doorsForTest } from './support.ts';

type MediaBody = { uploadId: string; status: string; width?: number; thumbnailUrl?: string; url: string };
type UploadBody = { uploadId: string; method: string; url: string; headers: Record<string, string> };

/** A 2 x 2 PNG. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==',
  'base64',
);

describe('accounts, media and the platform itself', () => {
  let doors: Doors;
  let first = '';
  let second = '';

  beforeAll(async () => {
    doors = await doorsForTest();
    [first = '', second = ''] = doors.gateways;
  }, 90_000);

  afterAll(() => doors.end(), 60_000);

  it('given a session, when it is refreshed, reused and logged out, then tokens rotate and end', async () => {
    const person = await register(first);
    const refresh = (refreshToken: string) =>
      call<SessionBody>(first, 'POST', '/auth/refresh', { body: { refreshToken } });
    const next = await refresh(person.refreshToken);
    expect(next.status).toBe(200);
    expect((await refresh(person.refreshToken)).body.refreshToken).toBe(next.body.refreshToken);
    expect(await call(first, 'POST', '/auth/logout', { token: next.body.accessToken, body: {} })).toMatchObject({
      status: 204,
    });
    expect((await refresh(next.body.refreshToken)).status).toBe(401);
    await eventually(
      () => call(second, 'GET', '/users/me', { token: next.body.accessToken }),
      ({ status }) => status === 401,
      2_000,
    );
  });

  it('given an unknown e-mail, when a code is asked for and given, then there is an account', async () => {
    const identifier = `${randomUUID()}@example.com`;
    const asked = await call<{ code: string }>(first, 'POST', '/auth/request-code', { body: { identifier } });
    expect(asked).toMatchObject({ status: 202, body: { code: expect.stringMatching(/^\d{6}$/) } });
    const given = { identifier, code: asked.body.code };
    const session = await call<SessionBody>(first, 'POST', '/auth/verify-code', { body: given });
    expect(session.status).toBe(200);
    const again = await call(first, 'POST', '/auth/verify-code', { body: given });
    expect(again).toMatchObject({ status: 401, body: { code: 'INVALID_CODE' } });
  });

  it('given a search, when it names the beginning of a username, then that person is found', async () => {
    const [seeker, sought] = [await register(first), await register(first)];
    const found = await call<{ items: { id: string }[] }>(
      first,
      'GET',
      `/users/search?q=${sought.username.slice(0, 12)}`,
      {
        token: seeker.token,
      },
    );
    expect(found.body.items.map(({ id }) => id)).toEqual([sought.id]);
  });

  it('given an image, when it is uploaded, confirmed and sent, then members see it and strangers do not', async () => {
    const [alice, bob, eve] = [await register(first), await register(second), await register(first)];
    const id = await openDirect(first, alice, bob);
    const bobs = await Listener.connect(second, bob);
    const sha256 = createHash('sha256').update(png).digest('hex');
    const wanted = { fileName: 'dot.png', contentType: 'image/png', size: png.length, sha256, purpose: 'message' };
    const upload = await call<UploadBody>(first, 'POST', '/media/upload-url', { token: alice.token, body: wanted });
    expect(upload).toMatchObject({ status: 201, body: { method: 'PUT' } });
    const { uploadId, url, headers } = upload.body;
    const early = await call(first, 'POST', '/media/confirm', { token: alice.token, body: { uploadId } });
    expect(early).toMatchObject({ status: 409, body: { code: 'UPLOAD_MISSING' } });
    expect((await fetch(url, { method: 'PUT', headers, body: png })).status).toBe(200);
    const confirmed = await call<MediaBody>(first, 'POST', '/media/confirm', {
      token: alice.token,
      body: { uploadId },
    });
    expect(confirmed.status).toBe(200);
    const sent = await call<{ message: { id: string; type: string } }>(first, 'POST', `/conversations/${id}/messages`, {
      token: alice.token,
      body: { clientMsgId: randomUUID(), attachments: [uploadId] },
    });
    expect(sent).toMatchObject({ status: 201, body: { message: { type: 'image', text: '' } } });
    const seen = await bobs.hears('message:new');
    expect(seen).toMatchObject({ message: { attachments: [{ uploadId, kind: 'image', fileName: 'dot.png' }] } });
    const ready = await eventually(
      () => call<{ attachments: MediaBody[] }>(second, 'GET', `/messages/${id}:2`, { token: bob.token }),
      ({ body }) => body.attachments[0]?.status === 'ready',
    );
    expect(ready.body.attachments[0]).toMatchObject({ width: 2, height: 2, thumbnailUrl: expect.any(String) });
    for (const path of [`/media/${uploadId}/content`, `/media/${uploadId}/thumbnail`]) {
      const redirect = await call(second, 'GET', path, { token: bob.token });
      expect(redirect.status).toBe(302);
      const image = await fetch(redirect.headers.get('location') ?? '');
      expect({ status: image.status, type: image.headers.get('content-type')?.split('/')[0] }).toEqual({
        status: 200,
        type: 'image',
      });
      expect((await call(first, 'GET', path, { token: eve.token })).status).toBe(404);
    }
    bobs.close();
  }, 30_000);

  it('given an upload that is not what it says, when it is confirmed, then it is refused', async () => {
    const alice = await register(first);
    const html = Buffer.from('<html><script>alert(1)</script></html>');
    const wanted = { fileName: 'x.png', contentType: 'image/png', size: html.length, purpose: 'message' };
    const { body } = await call<UploadBody>(first, 'POST', '/media/upload-url', { token: alice.token, body: wanted });
    await fetch(body.url, { method: 'PUT', headers: body.headers, body: html });
    const confirmed = await call(first, 'POST', '/media/confirm', {
      token: alice.token,
      body: { uploadId: body.uploadId },
    });
    expect(confirmed).toMatchObject({ status: 409, body: { code: 'UPLOAD_REJECTED' } });
  });

  it('given the doors of the platform, when they are asked, then contracts and health are there', async () => {
    const openapi = await call<{ openapi: string; paths: object }>(first, 'GET', '/openapi.json');
    expect(openapi.body.openapi).toMatch(/^3\.1/);
    expect(Object.keys(openapi.body.paths)).toContain('/conversations/{id}/messages');
    const asyncapi = await call<{ asyncapi: string }>(first, 'GET', '/asyncapi.json');
    expect(asyncapi.body.asyncapi).toMatch(/^3\./);
    for (const path of ['/healthz', '/readyz', '/docs/', '/.well-known/jwks.json']) {
      expect({ path, status: (await fetch(`${first}${path}`)).status }).toEqual({ path, status: 200 });
    }
  });

  it('given bad input, when it comes, then it gets a problem with a code and never a 5xx', async () => {
    const { token } = await register(first);
    const cases: [string, string, string | undefined, number, string][] = [
      ['POST', '/auth/login', '{"identifier": {"$gt": ""}, "password": "x"}', 400, 'VALIDATION_FAILED'],
      ['POST', '/auth/login', '{"identifier": "a", "password": "b", "extra": 1}', 400, 'VALIDATION_FAILED'],
      ['POST', '/auth/login', '{broken', 400, 'MALFORMED_JSON'],
      ['POST', '/conversations', '{"type": "direct", "userId": "nobody"}', 400, 'VALIDATION_FAILED'],
      ['POST', '/conversations', `{"type": "direct", "userId": "${randomUUID()}"}`, 404, 'NOT_FOUND'],
      ['POST', '/conversations', `{"type": "group", "name": "${'x'.repeat(80_000)}"}`, 413, 'PAYLOAD_TOO_LARGE'],
      ['GET', '/conversations/%00', undefined, 400, 'VALIDATION_FAILED'],
      ['GET', '/conversations?limit=1000', undefined, 400, 'VALIDATION_FAILED'],
      ['GET', '/nowhere', undefined, 404, 'NOT_FOUND'],
    ];
    for (const [method, path, body, status, code] of cases) {
      const answer = await fetch(`${first}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body } : {}),
      });
      const problem = (await answer.json()) as { code: string };
      expect({ path, status: answer.status, code: problem.code }).toEqual({ path, status, code });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    }
    const forged = await call(first, 'GET', '/users/me', { token: `${token.slice(0, -4)}AAAA` });
    expect(forged).toMatchObject({ status: 401, body: { code: 'TOKEN_INVALID' } });
  });
});
