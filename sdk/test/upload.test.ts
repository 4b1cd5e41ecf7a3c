import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Api, BluewaveError, type ErrorCode } from '@bluewave/sdk';
import fc from 'fast-check';
import { createSha256 } from '../src/upload/sha256.ts';
import { upload, type UploadOptions } from '../src/upload/upload.ts';
import { ManualClock } from './support/manual-clock.ts';
import { aMedia } from './support/objects.ts';

type Put = { path: string; headers: IncomingMessage['headers']; bytes: number };
type Behaviour = 'take' | 'cut' | 'expired' | 'present' | 'broken' | 'stall';

/** An object storage on this machine that behaves as it is told, put by put. */
class Storage {
  readonly puts: Put[] = [];
  readonly behaviours: Behaviour[];
  readonly #server: Server;

  constructor(behaviours: Behaviour[]) {
    this.behaviours = [...behaviours];
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const behaviour = this.behaviours.shift() ?? 'take';
    const put = { path: request.url ?? '', headers: request.headers, bytes: 0 };
    this.puts.push(put);
    if (behaviour === 'stall') return;
    try {
      for await (const chunk of request) {
        put.bytes += (chunk as Buffer).length;
        if (behaviour === 'cut') return void request.socket.destroy();
      }
    } catch {
      // The client called it off: there is nobody to answer.
      return;
    }
    const status = { take: 200, cut: 0, stall: 0, expired: 403, present: 412, broken: 500 }[behaviour];
    response.writeHead(status).end();
  }
}

const storages: Storage[] = [];
afterEach(() => {
  for (const storage of storages.splice(0)) storage.close();
});

async function scene(behaviours: Behaviour[], refusals: ErrorCode[] = []) {
  const storage = new Storage(behaviours);
  storages.push(storage);
  const url = await storage.listen();
  const calls: { operation: string; body: Record<string, unknown> }[] = [];
  let tickets = 0;
  const answer = async (operation: string, { body }: { body: Record<string, unknown> }): Promise<unknown> => {
    calls.push({ operation, body });
    if (operation === 'mediaUploadUrl') {
      tickets += 1;
      const headers = { 'content-type': 'image/png', 'if-none-match': '*' };
      return { uploadId: `up${tickets}`, method: 'PUT', url: `${url}/up${tickets}`, headers, expiresAt: '' };
    }
    const refusal = refusals.shift();
    if (refusal) throw new BluewaveError(refusal, refusal, { retryable: refusal === 'UNAVAILABLE' });
    return aMedia({ uploadId: String(body['uploadId']) });
  };
  const clock = new ManualClock();
  const environment = { clock, random: () => 0.5, fetch };
  const progress: number[] = [];
  const start = (bytes: Uint8Array<ArrayBuffer>, options: UploadOptions = {}) =>
    upload({ api: answer as Api, environment }, bytes, {
      fileName: 'dot.png',
      contentType: 'image/png',
      onProgress: ({ sent }) => progress.push(sent),
      ...options,
    });
  /** Waits for the upload while time passes whenever it waits for that. */
  const end = async <T>(done: Promise<T>): Promise<T> => {
    let over = false;
    const mark = (): void => void (over = true);
    done.then(mark, mark);
    for (let round = 0; !over && round < 2_000; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      if ((clock.waiting[0] ?? Infinity) <= 5_000) await clock.pass(clock.waiting[0] ?? 0);
    }
    return done;
  };
  const operations = (): string[] => calls.map(({ operation }) => operation);
  return { storage, calls, clock, progress, start, end, operations };
}

const bytes = new Uint8Array(Buffer.alloc(200_000, 7));

describe('an upload', () => {
  it('given a file, when the storage takes it, then it went there whole, with progress, and is confirmed', async () => {
    const { start, end, storage, calls, progress } = await scene(['take']);
    expect(await end(start(bytes))).toEqual(aMedia({ uploadId: 'up1' }));
    expect(storage.puts).toMatchObject([
      {
        path: '/up1',
        bytes: 200_000,
        headers: { 'content-length': '200000', 'content-type': 'image/png', 'if-none-match': '*' },
      },
    ]);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(calls[0]?.body).toEqual({
      fileName: 'dot.png',
      contentType: 'image/png',
      size: 200_000,
      sha256,
      purpose: 'message',
    });
    expect(progress).toEqual([...progress].sort((one, other) => one - other));
    expect([progress[0], progress.at(-1), progress.length > 4]).toEqual([0, 200_000, true]);
  });

  it('given a Blob with a type and parameters, when it is put, then the platform is told the type alone', async () => {
    const { start, end, calls } = await scene(['take']);
    const blob = new Blob([bytes], { type: 'Audio/WebM;codecs=opus' });
    await end(start(blob as never, { contentType: blob.type }));
    expect(calls[0]?.body).toMatchObject({ contentType: 'audio/webm', size: 200_000 });
  });

  it('given a link that is cut, when it is tried again, then to the same URL; what is there already is confirmed', async () => {
    const { start, end, storage, operations } = await scene(['cut', 'present']);
    expect(await end(start(bytes))).toMatchObject({ uploadId: 'up1' });
    expect(storage.puts.map(({ path }) => path)).toEqual(['/up1', '/up1']);
    expect(operations()).toEqual(['mediaUploadUrl', 'mediaConfirm']);
  });

  it('given a storage that kept a file that was cut off, when that is refused, then it begins again elsewhere', async () => {
    const { start, end, storage } = await scene(['cut', 'present', 'take'], ['UPLOAD_REJECTED']);
    expect(await end(start(bytes))).toMatchObject({ uploadId: 'up2' });
    expect(storage.puts.map(({ path }) => path)).toEqual(['/up1', '/up1', '/up2']);
  });

  it('given a URL that has expired or a storage that fails, when it is tried again, then with a new URL', async () => {
    const { start, end, storage } = await scene(['expired', 'broken', 'take']);
    expect(await end(start(bytes))).toMatchObject({ uploadId: 'up3' });
    expect(storage.puts.map(({ path }) => path)).toEqual(['/up1', '/up2', '/up3']);
  });

  it('given content that the platform refuses, when it says so, then that is the end', async () => {
    const { start, end, storage } = await scene(['take'], ['UPLOAD_REJECTED']);
    await expect(end(start(bytes))).rejects.toMatchObject({ code: 'UPLOAD_REJECTED', retryable: false });
    expect(storage.puts).toHaveLength(1);
  });

  it('given a confirmation that fails for now, when it is tried again, then nothing is put a second time', async () => {
    const { start, end, operations, storage } = await scene(['take'], ['UNAVAILABLE']);
    expect(await end(start(bytes))).toMatchObject({ uploadId: 'up1' });
    expect([operations(), storage.puts.length]).toEqual([['mediaUploadUrl', 'mediaConfirm', 'mediaConfirm'], 1]);
  });

  it('given a storage that is gone, when six tries have failed, then the upload fails and says how', async () => {
    const { start, end, storage } = await scene(Array.from({ length: 9 }, () => 'cut'));
    await expect(end(start(bytes))).rejects.toMatchObject({ code: 'OFFLINE', retryable: true });
    expect(storage.puts).toHaveLength(6);
  });

  it('given an upload under way, when the user calls it off, then it ends and nothing is confirmed', async () => {
    const { start, end, operations } = await scene(['stall']);
    const controller = new AbortController();
    const done = start(bytes, { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(end(done)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(operations()).toEqual(['mediaUploadUrl']);
    await expect(start(bytes, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('given a link on which nothing moves, when 30 s have passed, then it is tried again', async () => {
    const { start, end, storage, clock } = await scene(['stall', 'take']);
    const done = start(bytes);
    while (storage.puts.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await clock.pass(30_000);
    expect(await end(done)).toMatchObject({ uploadId: 'up1' });
  });
});

describe('SHA-256', () => {
  it('given any bytes in any pieces, when they are hashed, then the digest is that of the standard', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), (pieces) => {
        const sha256 = createSha256();
        const hash = createHash('sha256');
        for (const piece of pieces) {
          sha256.update(piece);
          hash.update(piece);
        }
        expect(sha256.digest()).toBe(hash.digest('hex'));
      }),
      { numRuns: 300 },
    );
  });
});
