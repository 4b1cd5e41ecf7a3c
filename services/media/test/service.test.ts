import { connect, createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClient } from '@bluewave/rpc/client';
import { loadService } from '@bluewave/rpc/service-definition';
import type { MediaServiceDefinition } from '@bluewave/protos/generated/bluewave/media/v1/MediaService';
import { defaultRules } from '../src/uploads/upload.ts';
import type { RunningMedia } from '../src/server.ts';
import { eventually, type MediaUnderTest, newUser, startMediaUnderTest } from './support/media-under-test.ts';
import * as sample from './support/sample-files.ts';

let media: MediaUnderTest;

beforeAll(async () => {
  media = await startMediaUnderTest({ rateLimits: true, rules: { ...defaultRules, requeueMs: 1_000 } });
});
afterAll(() => media.close());

function clientOf(running: RunningMedia) {
  const definition = loadService<MediaServiceDefinition>('media', 'MediaService');
  return createClient(definition, `127.0.0.1:${running.grpcPort}`, 'media', undefined);
}

const codeOf = (outcome: Promise<unknown>) =>
  outcome.then(
    () => 'OK',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );

const countOf = (codes: unknown[]) =>
  Object.fromEntries([...new Set(codes)].map((code) => [code, codes.filter((one) => one === code).length]));

describe('given two replicas', () => {
  it('when a user asks for 80 uploads, ten at once, then exactly 60 are granted and the wait for the next is told', async () => {
    const second = clientOf(await media.another());
    const owner = newUser();
    const request = {
      actorId: owner,
      fileName: 'x',
      contentType: 'image/png',
      size: 9,
      sha256: '',
      purpose: 'message',
    };
    const codes: unknown[] = [];
    for (let round = 0; round < 8; round++) {
      const calls = Array.from({ length: 10 }, (_, index) =>
        (index % 2 ? second : media.client).call.CreateUpload(request, media.context()),
      );
      codes.push(...(await Promise.all(calls.map(codeOf))));
    }
    expect(countOf(codes)).toEqual({ OK: 60, RATE_LIMITED: 20 });
    const refusal = await media.call.CreateUpload(request, media.context()).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    const { retryAfterMs } = refusal as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(3_590_000);
    expect(retryAfterMs).toBeLessThanOrEqual(3_600_000);
    // Others are not concerned, and what is refused for another reason does not count.
    expect(await codeOf(media.call.CreateUpload({ ...request, actorId: newUser() }, media.context()))).toBe('OK');
    second.close();
  });

  it('when an upload is confirmed ten times at once, then it is queued and told once and all answer the same', async () => {
    const second = clientOf(await media.another());
    const owner = newUser();
    const uploadId = await media.upload(owner, { bytes: await sample.png(), contentType: 'image/png' });
    const confirm = (index: number) =>
      (index % 2 ? second : media.client).call.ConfirmUpload({ actorId: owner, uploadId }, media.context());
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => confirm(index)));
    expect(new Set(answers.map((one) => one.uploadId))).toEqual(new Set([uploadId]));
    for (const { status } of answers) expect(['processing', 'ready']).toContain(status);
    const ready = await media.settled(uploadId);
    expect(await media.announced(uploadId)).toMatchObject({ status: 'ready', enqueued: 1, attempts: 1 });
    expect(media.told.chat.filter((one) => one.uploadId === uploadId)).toEqual([ready]);
    expect(await confirm(0)).toEqual(ready);
    second.close();
  });

  it('when a false upload is confirmed ten times at once, then all are refused', async () => {
    const owner = newUser();
    const uploadId = await media.upload(owner, { bytes: sample.html(), contentType: 'image/png' });
    const confirm = () => codeOf(media.call.ConfirmUpload({ actorId: owner, uploadId }, media.context()));
    expect(countOf(await Promise.all(Array.from({ length: 10 }, confirm)))).toEqual({ UPLOAD_REJECTED: 10 });
    expect(await media.bucket.keysOf(uploadId)).toEqual([]);
  });

  it('when it is confirmed and deleted at once, then in the end nothing remains', async () => {
    for (let round = 0; round < 8; round++) {
      const owner = newUser();
      const uploadId = await media.upload(owner, { bytes: await sample.png(), contentType: 'image/png' });
      const of = { actorId: owner, uploadId };
      const [confirmed, deleted] = await Promise.all([
        codeOf(media.call.ConfirmUpload(of, media.context())),
        codeOf(media.call.DeleteUpload(of, media.context())),
      ]);
      expect(deleted).toBe('OK');
      expect(['OK', 'NOT_FOUND', 'UPLOAD_MISSING']).toContain(confirmed);
      await eventually(async () => ((await media.bucket.keysOf(uploadId)).length === 0 ? true : undefined));
      expect(await codeOf(media.call.GetUpload(of, media.context()))).toBe('NOT_FOUND');
    }
  });

  it('when twenty uploads wait at once, then all become ready, each processed once', async () => {
    const owners = Array.from({ length: 20 }, newUser);
    const bytes = await sample.jpeg(1600, 1200);
    const settled = await Promise.all(owners.map((owner) => media.settle(owner, { bytes, contentType: 'image/jpeg' })));
    expect(countOf(settled.map((one) => one.status))).toEqual({ ready: 20 });
    const records = await Promise.all(settled.map((one) => media.record(one.uploadId)));
    expect(countOf(records.map((one) => one?.attempts))).toEqual({ 1: 20 });
  }, 60_000);
});

describe('given an operator', () => {
  it('when the admin port is asked, then it tells health, readiness and the figures of uploads', async () => {
    const owner = newUser();
    await media.settle(owner, { bytes: await sample.png(), contentType: 'image/png' });
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${media.running.adminPort}${path}`);
      return { status: response.status, text: await response.text() };
    };
    expect(await get('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    expect(await get('/readyz')).toEqual({ status: 200, text: 'ready\n' });
    const { text } = await get('/metrics');
    const figure = (name: string, ...labels: string[]) => {
      const line = text.split('\n').find((one) => one.startsWith(name) && labels.every((label) => one.includes(label)));
      return Number(line?.split(' ').at(-1));
    };
    expect(figure('bluewave_media_uploads_total{', 'kind="image"', 'outcome="ready"')).toBeGreaterThan(0);
    expect(figure('bluewave_media_processing_seconds_count{', 'kind="image"')).toBeGreaterThan(0);
    expect(figure('bluewave_media_queue_age_seconds{')).toBeGreaterThanOrEqual(0);
  });

  it('when the service is closed, then its ports are free and closing again is fine', async () => {
    const running = await media.another();
    await running.close();
    await running.close();
    for (const port of [running.grpcPort, running.adminPort]) {
      const refused = new Promise((resolve) => connect(port, '127.0.0.1').once('error', resolve));
      expect(await refused).toMatchObject({ code: 'ECONNREFUSED' });
    }
  });
});

describe('given a storage with a public name', () => {
  it('when URLs are signed, then they name it, while the service itself uses the other', async () => {
    const publicEndpoint = 'https://files.example.com';
    const running = await media.another({ s3: { ...media.config.s3, publicEndpoint } });
    const client = clientOf(running);
    const owner = newUser();
    const bytes = await sample.png();
    const request = { actorId: owner, fileName: 'x', contentType: 'image/png', sha256: '', purpose: 'message' };
    const { url } = await client.call.CreateUpload({ ...request, size: bytes.length }, media.context());
    expect(url).toMatch(new RegExp(`^${publicEndpoint}/${media.config.s3.bucket}/quarantine/`));
    const uploadId = await media.upload(owner, { bytes, contentType: 'image/png' });
    await client.call.ConfirmUpload({ actorId: owner, uploadId }, media.context());
    await media.settled(uploadId);
    const signed = await client.call.SignDownload({ uploadId, thumbnail: false }, media.context());
    expect(signed.url.startsWith(`${publicEndpoint}/${media.config.s3.bucket}/media/${uploadId}/content?`)).toBe(true);
    client.close();
  });
});

describe('given engines that are away', () => {
  it('when NATS is away, then an upload is confirmed and processed as soon as somebody can', async () => {
    const deaf = await media.another({ natsUrl: 'nats://127.0.0.1:1' });
    const client = clientOf(deaf);
    const owner = newUser();
    const uploadId = await media.upload(owner, { bytes: await sample.png(), contentType: 'image/png' });
    const answer = await client.call.ConfirmUpload({ actorId: owner, uploadId }, media.context());
    expect(answer.status).toBe('processing');
    expect((await media.settled(uploadId)).status).toBe('ready');
    client.close();
  });

  it.each([
    ['refuses connections', 'UNAVAILABLE', () => Promise.resolve({ port: 1, close: () => undefined })],
    ['never answers', 'DEADLINE_EXCEEDED', blackHole],
  ])(
    'when the storage %s, then calls that need it fail in time and the service stays ready',
    async (_how, code, open) => {
      const hole = await open();
      const endpoint = `http://127.0.0.1:${hole.port}`;
      const poor = await media.another({ s3: { ...media.config.s3, endpoint } });
      const client = clientOf(poor);
      const owner = newUser();
      const uploadId = await media.upload(owner, { bytes: await sample.png(), contentType: 'image/png' });
      const started = Date.now();
      const context = { traceId: '0'.repeat(32), deadline: started + 1_000 };
      expect([code, 'DEADLINE_EXCEEDED']).toContain(
        await codeOf(client.call.ConfirmUpload({ actorId: owner, uploadId }, context)),
      );
      expect(Date.now() - started).toBeLessThan(1_500);
      expect((await fetch(`http://127.0.0.1:${poor.adminPort}/readyz`)).status).toBe(200);
      expect(await codeOf(client.call.GetUpload({ actorId: owner, uploadId }, media.context()))).toBe('OK');
      // A replica that reaches the storage takes it.
      const of = { actorId: owner, uploadId };
      expect((await media.call.ConfirmUpload(of, media.context())).status).toBe('processing');
      await poor.close();
      expect((await media.settled(uploadId)).status).toBe('ready');
      client.close();
      hole.close();
    },
  );
});

/** A server that accepts and says nothing. */
async function blackHole() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}
