import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import {
  eventually,
  type MediaUnderTest,
  newUser,
  put,
  sleep,
  startMediaUnderTest,
} from './support/media-under-test.ts';
import * as sample from './support/sample-files.ts';

let media: MediaUnderTest;

beforeAll(async () => {
  media = await startMediaUnderTest();
});
afterAll(() => media.close());

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const confirm = (actorId: string, uploadId: string) => media.call.ConfirmUpload({ actorId, uploadId }, media.context());

/** Sends the headers and `bytes`, then breaks the connection. */
function cutOffPut(reply: { url: string; headers: Record<string, string> }, bytes: Uint8Array, length: number) {
  return new Promise<void>((resolve) => {
    const headers = { ...reply.headers, 'content-length': length };
    const put = request(reply.url, { method: 'PUT', headers });
    put.on('error', () => resolve());
    put.on('close', () => resolve());
    put.write(bytes);
    setTimeout(() => put.destroy(), 150);
  });
}

describe('given a signed PUT of a PNG', () => {
  const refused: [
    string,
    (reply: { url: string; headers: Record<string, string> }, bytes: Buffer) => Promise<Response>,
  ][] = [
    ['is longer', (reply, bytes) => send(reply, Buffer.concat([bytes, Buffer.from('x')]))],
    ['is shorter', (reply, bytes) => send(reply, bytes.subarray(1))],
    ['has another type', (reply, bytes) => send(reply, bytes, { 'content-type': 'text/html' })],
    ['may replace', (reply, bytes) => send(reply, bytes, { 'if-none-match': '' })],
    ['has other bytes than the checksum', (reply, bytes) => send(reply, Buffer.from(bytes).fill(1, 40))],
    [
      'has another checksum',
      (reply, bytes) => {
        const other = Buffer.from(bytes).fill(1, 40);
        return send(reply, other, { 'x-amz-checksum-sha256': createHash('sha256').update(other).digest('base64') });
      },
    ],
  ];

  async function send(
    reply: { url: string; headers: Record<string, string> },
    body: Uint8Array,
    change: Record<string, string> = {},
  ) {
    const headers = Object.entries({ ...reply.headers, ...change }).filter(([, value]) => value !== '');
    return fetch(reply.url, { method: 'PUT', headers: Object.fromEntries(headers), body: Buffer.from(body) });
  }

  it.each(refused)(
    'when what is sent %s, then the storage refuses and nothing can be confirmed',
    async (_what, attempt) => {
      const owner = newUser();
      const bytes = await sample.png();
      const reply = await media.create(owner, { bytes, contentType: 'image/png', sha256: sha256(bytes) });
      const response = await attempt(reply, bytes);
      await response.text();
      expect([400, 403]).toContain(response.status);
      await expect(confirm(owner, reply.uploadId)).rejects.toMatchObject({ code: 'UPLOAD_MISSING' });
      expect((await media.record(reply.uploadId))?.status).toBe('pending');
      // The right bytes are still welcome.
      expect((await put(reply, bytes)).status).toBe(200);
      expect((await confirm(owner, reply.uploadId)).status).toBe('processing');
    },
  );

  it('when it is sent twice, then the second is refused and the first counts', async () => {
    const owner = newUser();
    const bytes = await sample.png();
    const reply = await media.create(owner, { bytes, contentType: 'image/png' });
    expect((await put(reply, bytes)).status).toBe(200);
    expect((await put(reply, Buffer.from(bytes).fill(1))).status).toBe(412);
    expect((await confirm(owner, reply.uploadId)).status).toBe('processing');
    expect((await media.settled(reply.uploadId)).status).toBe('ready');
  });

  it.each([[false], [true]])(
    'when it is cut off (checksum given: %s), then it is never accepted',
    async (withChecksum) => {
      const owner = newUser();
      const bytes = Buffer.concat([await sample.png(), Buffer.alloc(300_000)]);
      const wish = { bytes, contentType: 'image/png', ...(withChecksum ? { sha256: sha256(bytes) } : {}) };
      for (let attempt = 0; attempt < 4; attempt++) {
        const reply = await media.create(owner, wish);
        await cutOffPut(reply, bytes.subarray(0, 100_000), bytes.length);
        await sleep(100);
        const outcome = await confirm(owner, reply.uploadId).catch((error: unknown) => error);
        expect(outcome).toMatchObject({ code: expect.stringMatching(/^UPLOAD_(MISSING|REJECTED)$/) });
        expect(await media.bucket.keysOf(reply.uploadId)).toEqual([]);
      }
    },
  );
});

describe('given a URL of two seconds', () => {
  let brief: MediaUnderTest;
  beforeAll(async () => {
    const { config } = media;
    brief = await startMediaUnderTest({
      rules: { ...config.rules, putMs: 2_000, lateMs: 2_000 },
      sweep: { ...config.sweep, everyMs: 60_000 },
    });
  });
  afterAll(() => brief.close());

  it('when the PUT comes too late, then it is refused and the upload has expired', async () => {
    const owner = newUser();
    const bytes = await sample.png();
    const reply = await brief.create(owner, { bytes, contentType: 'image/png' });
    await sleep(3_200);
    expect((await put(reply, bytes)).status).toBe(403);
    const outcome = brief.call.ConfirmUpload({ actorId: owner, uploadId: reply.uploadId }, brief.context());
    await expect(outcome).rejects.toMatchObject({ code: 'UPLOAD_EXPIRED' });
  });

  it('when the PUT was in time but the confirmation is late, then it counts for a while and no longer', async () => {
    const owner = newUser();
    const wish = { bytes: await sample.png(), contentType: 'image/png' };
    const [soon, late] = [await brief.upload(owner, wish), await brief.upload(owner, wish)];
    await sleep(2_500);
    const first = await brief.call.ConfirmUpload({ actorId: owner, uploadId: soon }, brief.context());
    expect(first.status).toBe('processing');
    await sleep(2_000);
    const second = brief.call.ConfirmUpload({ actorId: owner, uploadId: late }, brief.context());
    await expect(second).rejects.toMatchObject({ code: 'UPLOAD_EXPIRED' });
  });
});

describe('given bytes that are not what was declared', () => {
  const lies: [string, string, () => Buffer | Promise<Buffer>][] = [
    ['HTML', 'image/png', sample.html],
    ['SVG', 'image/png', sample.svg],
    ['SVG', 'image/jpeg', sample.svg],
    ['a PNG', 'image/jpeg', sample.png],
    ['a PDF', 'image/gif', sample.pdf],
    ['HTML', 'video/mp4', sample.html],
    ['HTML', 'audio/mpeg', sample.html],
    ['HTML', 'application/pdf', sample.html],
    ['a program', 'application/zip', sample.program],
    ['a program', 'application/octet-stream', sample.program],
    ['a PNG', 'text/plain', sample.png],
  ];

  it.each(lies)(
    'when %s is declared as %s, then it is rejected for good and its object removed',
    async (_what, contentType, make) => {
      const owner = newUser();
      const bytes = await make();
      const uploadId = await media.upload(owner, { bytes, contentType });
      const rejected = { code: 'UPLOAD_REJECTED', retryable: false };
      await expect(confirm(owner, uploadId)).rejects.toMatchObject(rejected);
      await expect(confirm(owner, uploadId)).rejects.toMatchObject(rejected);
      expect(await media.bucket.keysOf(uploadId)).toEqual([]);
      const seen = await media.call.GetUpload({ actorId: owner, uploadId }, media.context());
      expect(seen).toMatchObject({ status: 'rejected', hasThumbnail: false });
      const resolve = media.call.ResolveAttachments({ actorId: owner, uploadIds: [uploadId] }, media.context());
      await expect(resolve).rejects.toMatchObject({ code: 'UPLOAD_REJECTED' });
      await expect(media.call.SignDownload({ uploadId, thumbnail: false }, media.context())).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    },
  );
});

describe('given bytes that pass for an image', () => {
  async function settleImage(bytes: Buffer, contentType: string) {
    const owner = newUser();
    const settled = await media.settle(owner, { bytes, contentType });
    return { owner, settled, record: await media.announced(settled.uploadId) };
  }

  const broken: [string, string, () => Promise<Buffer>, RegExp][] = [
    ['a truncated JPEG', 'image/jpeg', async () => (await sample.jpeg()).subarray(0, 2_000), /damaged/],
    ['a truncated PNG', 'image/png', async () => (await sample.png(400, 400)).subarray(0, 500), /damaged/],
    [
      'a PNG that would have 400 million pixels',
      'image/png',
      async () => sample.bombPng(20_000, 20_000),
      /too many pixels/,
    ],
    [
      'a PNG with nothing behind its header',
      'image/png',
      async () => Buffer.concat([(await sample.png()).subarray(0, 40), Buffer.alloc(50)]),
      /cannot be read|damaged/,
    ],
  ];

  it.each(broken)(
    'when it is %s, then processing rejects it and tells everybody',
    async (_what, contentType, make, reason) => {
      const { owner, settled, record } = await settleImage(await make(), contentType);
      expect(settled.status).toBe('rejected');
      expect(record).toMatchObject({ status: 'rejected', reason: expect.stringMatching(reason), attempts: 1 });
      await eventually(async () => ((await media.bucket.keysOf(settled.uploadId)).length === 0 ? true : undefined));
      expect(media.told.chat.filter((one) => one.uploadId === settled.uploadId)).toEqual([settled]);
      expect(media.told.owners.filter((one) => one.userId === owner)).toEqual([{ userId: owner, upload: settled }]);
      await expect(confirm(owner, settled.uploadId)).rejects.toMatchObject({ code: 'UPLOAD_REJECTED' });
    },
  );

  it('when a script hangs behind the last byte, then only the picture survives', async () => {
    const bytes = Buffer.concat([await sample.jpeg(), sample.html()]);
    const { settled } = await settleImage(bytes, 'image/jpeg');
    expect(settled.status).toBe('ready');
    const content = await media.bucket.read(`media/${settled.uploadId}/content`);
    expect(content.includes('script')).toBe(false);
    expect((await sharp(content).metadata()).format).toBe('jpeg');
  });
});
