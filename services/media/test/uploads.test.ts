import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { type MediaUnderTest, newUser, put, startMediaUnderTest, type Wish } from './support/media-under-test.ts';
import * as sample from './support/sample-files.ts';

let media: MediaUnderTest;

beforeAll(async () => {
  media = await startMediaUnderTest();
});
afterAll(() => media.close());

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function download(uploadId: string, thumbnail = false) {
  const { url, expiresAtMs } = await media.call.SignDownload({ uploadId, thumbnail }, media.context());
  const response = await fetch(url);
  return { response, bytes: Buffer.from(await response.arrayBuffer()), expiresAtMs, url };
}

describe('given a JPEG of a phone', () => {
  it('when it is uploaded and confirmed, then it is turned, stripped of its metadata and shown with a thumbnail', async () => {
    const owner = newUser();
    const bytes = await sample.phoneJpeg(1200, 800);
    expect((await sharp(bytes).metadata()).exif?.includes('SecretPhone')).toBe(true);
    const wish = { bytes, contentType: 'image/jpeg', fileName: 'Grüße "x".jpg', sha256: sha256(bytes) };
    const reply = await media.create(owner, wish);
    expect(reply.headers).toEqual({
      'content-type': 'image/jpeg',
      'if-none-match': '*',
      'x-amz-checksum-sha256': Buffer.from(wish.sha256, 'hex').toString('base64'),
    });
    const signed = new URL(reply.url).searchParams.get('X-Amz-SignedHeaders');
    expect(signed).toBe('content-length;content-type;host;if-none-match;x-amz-checksum-sha256');
    expect(new URL(reply.url).searchParams.get('X-Amz-Expires')).toBe('300');
    expect(reply.expiresAtMs - Date.now()).toBeGreaterThan(290_000);
    expect(await put(reply, bytes)).toEqual({ status: 200, body: '' });

    const of = { actorId: owner, uploadId: reply.uploadId };
    const confirmed = await media.call.ConfirmUpload(of, media.context());
    expect(confirmed).toEqual({
      uploadId: reply.uploadId,
      ownerId: owner,
      kind: 'image',
      fileName: 'Grüße "x".jpg',
      contentType: 'image/jpeg',
      size: bytes.length,
      width: 0,
      height: 0,
      durationMs: 0,
      thumbhash: '',
      status: 'processing',
      hasThumbnail: false,
      purpose: 'message',
    });

    const ready = await media.settled(reply.uploadId);
    const { response, bytes: content, expiresAtMs } = await download(reply.uploadId);
    expect(ready).toEqual({
      ...confirmed,
      status: 'ready',
      size: content.length,
      width: 800,
      height: 1200,
      hasThumbnail: true,
      thumbhash: expect.stringMatching(/^[A-Za-z0-9+/]{20,40}={0,2}$/),
    });
    expect(expiresAtMs - Date.now()).toBeGreaterThan(290_000);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    expect(response.headers.get('content-disposition')).toBe(
      `inline; filename="Gr__e _x_.jpg"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22x%22.jpg`,
    );
    const metadata = await sharp(content).metadata();
    expect(metadata).toMatchObject({ format: 'jpeg', width: 800, height: 1200 });
    expect([metadata.exif, metadata.iptc, metadata.xmp, metadata.orientation]).toEqual(Array(4).fill(undefined));
    expect(content.includes('SecretPhone')).toBe(false);
    // Turned by 90 degrees, left becomes up.
    const [red] = await sharp(content).extract({ left: 400, top: 100, width: 1, height: 1 }).raw().toBuffer();
    expect(red).toBeGreaterThan(200);

    const small = await download(reply.uploadId, true);
    expect(small.response.headers.get('content-type')).toBe('image/webp');
    expect(await sharp(small.bytes).metadata()).toMatchObject({ format: 'webp', width: 213, height: 320 });
    await media.leftQuarantine(reply.uploadId);
    expect(await media.bucket.keysOf(reply.uploadId)).toEqual([
      `media/${reply.uploadId}/content`,
      `media/${reply.uploadId}/thumbnail`,
    ]);
  });

  it('when it is ready, then chat and the owner are told once with the same upload that GetUpload answers', async () => {
    const owner = newUser();
    const ready = await media.settle(owner, { bytes: await sample.jpeg(), contentType: 'image/jpeg' });
    const of = { actorId: owner, uploadId: ready.uploadId };
    expect(await media.call.GetUpload(of, media.context())).toEqual(ready);
    const record = await media.announced(ready.uploadId);
    expect(record).toMatchObject({ announced: true, attempts: 1, status: 'ready' });
    expect(media.told.chat.filter((one) => one.uploadId === ready.uploadId)).toEqual([ready]);
    expect(media.told.owners.filter((one) => one.userId === owner)).toEqual([{ userId: owner, upload: ready }]);
  });
});

describe('given other content', () => {
  const kinds: [string, () => Wish | Promise<Wish>, string, object][] = [
    [
      'PNG',
      async () => ({ bytes: await sample.png(), contentType: 'image/png' }),
      'inline',
      { kind: 'image', width: 64 },
    ],
    ['WebP', async () => ({ bytes: await sample.webp(), contentType: 'image/webp' }), 'inline', { kind: 'image' }],
    ['AVIF', async () => ({ bytes: await sample.avif(), contentType: 'image/avif' }), 'inline', { kind: 'image' }],
    ['MP3', () => ({ bytes: sample.mp3(), contentType: 'audio/mpeg' }), 'inline', { kind: 'audio' }],
    ['MP4', () => ({ bytes: sample.mp4(), contentType: 'video/mp4' }), 'inline', { kind: 'video' }],
    ['PDF', () => ({ bytes: sample.pdf(), contentType: 'application/pdf' }), 'attachment', { kind: 'file' }],
    ['text', () => ({ bytes: sample.text(), contentType: 'text/plain' }), 'attachment', { kind: 'file' }],
    ['SVG', () => ({ bytes: sample.svg(), contentType: 'image/svg+xml' }), 'attachment', { kind: 'file' }],
    ['HTML', () => ({ bytes: sample.html(), contentType: 'text/html' }), 'attachment', { kind: 'file' }],
    [
      'anything',
      () => ({ bytes: sample.pdf(), contentType: 'application/octet-stream' }),
      'attachment',
      { kind: 'file' },
    ],
  ];

  it.each(kinds)('when it is %s, then it becomes ready and is served as it must be', async (_name, make, how, seen) => {
    const wish = await make();
    const ready = await media.settle(newUser(), wish);
    expect(ready).toMatchObject({ status: 'ready', contentType: wish.contentType, ...seen });
    const { response, bytes } = await download(ready.uploadId);
    expect(response.headers.get('content-disposition')?.split(';')[0]).toBe(how);
    expect(response.headers.get('content-type')).toBe(wish.contentType);
    expect(bytes.length).toBe(ready.size);
    if (ready.kind !== 'image') expect(bytes.equals(wish.bytes)).toBe(true);
    expect(ready.hasThumbnail).toBe(ready.kind === 'image');
  });

  it('when it is an animated GIF, then it stays animated and its thumbnail is still', async () => {
    const ready = await media.settle(newUser(), { bytes: await sample.animatedGif(), contentType: 'image/gif' });
    expect(ready).toMatchObject({ status: 'ready', width: 40, height: 30, hasThumbnail: true });
    const { bytes } = await download(ready.uploadId);
    expect(await sharp(bytes, { animated: true }).metadata()).toMatchObject({
      format: 'gif',
      pages: 3,
      pageHeight: 30,
    });
    const small = await download(ready.uploadId, true);
    expect((await sharp(small.bytes, { animated: true }).metadata()).pages ?? 1).toBe(1);
  });

  it('when it has no thumbnail or is not ready, then there is nothing to show', async () => {
    const owner = newUser();
    const file = await media.settle(owner, { bytes: sample.pdf(), contentType: 'application/pdf' });
    await expect(download(file.uploadId, true)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const pending = await media.upload(owner, { bytes: await sample.png(), contentType: 'image/png' });
    await expect(download(pending)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(download(newUser())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('when the signed URL is tampered with or unsigned, then the storage refuses', async () => {
    const file = await media.settle(newUser(), { bytes: sample.pdf(), contentType: 'application/pdf' });
    const { url } = await download(file.uploadId);
    const inline = url.replace('attachment', 'inline');
    const other = url.replace(`${file.uploadId}/content`, `${newUser()}/content`);
    const unsigned = url.split('?')[0] ?? '';
    for (const changed of [inline, other, unsigned]) expect((await fetch(changed)).status).toBe(403);
  });
});

describe('given uploads of somebody', () => {
  it('when another asks for them, then they answer as if they were absent', async () => {
    const [owner, other] = [newUser(), newUser()];
    const { uploadId } = await media.settle(owner, { bytes: sample.pdf(), contentType: 'application/pdf' });
    const of = { actorId: other, uploadId };
    const absent = { code: 'NOT_FOUND', detail: 'There is nothing here that you can see.' };
    await expect(media.call.GetUpload(of, media.context())).rejects.toMatchObject(absent);
    await expect(media.call.ConfirmUpload(of, media.context())).rejects.toMatchObject(absent);
    await expect(media.call.DeleteUpload(of, media.context())).rejects.toMatchObject(absent);
    const resolve = media.call.ResolveAttachments({ actorId: other, uploadIds: [uploadId] }, media.context());
    await expect(resolve).rejects.toMatchObject(absent);
    expect((await media.call.GetUploads({ uploadIds: [uploadId] }, media.context())).uploads).toHaveLength(1);
  });

  it('when attachments are resolved, then they come in the order asked for and only when confirmed', async () => {
    const owner = newUser();
    const first = await media.settle(owner, { bytes: sample.pdf(), contentType: 'application/pdf' });
    const second = await media.upload(owner, { bytes: await sample.png(), contentType: 'image/png' });
    const ask = (uploadIds: string[]) => media.call.ResolveAttachments({ actorId: owner, uploadIds }, media.context());
    await expect(ask([second, first.uploadId])).rejects.toMatchObject({ code: 'UPLOAD_NOT_CONFIRMED' });
    await media.call.ConfirmUpload({ actorId: owner, uploadId: second }, media.context());
    const { uploads } = await ask([second, first.uploadId, second]);
    expect(uploads.map((one) => one.uploadId)).toEqual([second, first.uploadId, second]);
    await expect(ask([first.uploadId, newUser()])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await ask([])).toEqual({ uploads: [] });
  });

  it('when one is deleted, then it is gone for all, its objects too, and deleting again is fine', async () => {
    const owner = newUser();
    const { uploadId } = await media.settle(owner, { bytes: await sample.png(), contentType: 'image/png' });
    const of = { actorId: owner, uploadId };
    expect(await media.call.DeleteUpload(of, media.context())).toEqual({});
    expect(await media.bucket.keysOf(uploadId)).toEqual([]);
    await expect(media.call.GetUpload(of, media.context())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(media.call.ConfirmUpload(of, media.context())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(download(uploadId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await media.call.GetUploads({ uploadIds: [uploadId] }, media.context())).toEqual({ uploads: [] });
    expect(await media.call.DeleteUpload(of, media.context())).toEqual({});
    expect((await media.record(uploadId))?.status).toBe('deleted');
  });
});
