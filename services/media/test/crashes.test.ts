import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import { processUpload } from '../src/processing/process-upload.ts';
import { sweepUpload } from '../src/processing/sweeper.ts';
import { confirmUpload } from '../src/uploads/confirm-upload.ts';
import { createUpload } from '../src/uploads/create-upload.ts';
import { deleteUpload } from '../src/uploads/delete-upload.ts';
import type { Upload } from '../src/uploads/upload.ts';
import { newUser, sleep } from './support/media-under-test.ts';
import * as sample from './support/sample-files.ts';
import { type AllParts, Crash, dyingParts, openWorkshop, servedKeys } from './support/workshop.ts';

type Workshop = Awaited<ReturnType<typeof openWorkshop>>;
let workshop: Workshop;

beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.close());

const hourMs = 3_600_000;
/** Each step is cut off twice, and each time others recover. */
const patience = 60_000;
const contents: ['image' | 'file', string, () => Buffer | Promise<Buffer>][] = [
  ['image', 'image/png', sample.png],
  ['file', 'application/pdf', sample.pdf],
];

/** Runs `act` once for each step it has, in a process that dies there, and then looks at `after`. */
async function dieAtEachStep(
  prepare: () => Promise<Upload>,
  act: (parts: AllParts, upload: Upload) => Promise<unknown>,
  after: (upload: Upload) => Promise<void>,
): Promise<number> {
  for (const when of ['before', 'after'] as const) {
    for (let step = 1; ; step++) {
      const upload = await prepare();
      const dying = dyingParts(workshop.parts, step, when);
      const outcome = await act(dying, upload).catch((error: unknown) => error);
      if (!dying.died()) {
        expect(step).toBeGreaterThan(2);
        break;
      }
      expect(outcome instanceof Crash || !(outcome instanceof Error)).toBe(true);
      await after(upload);
    }
  }
  return workshop.queued.length;
}

async function expectServed(upload: Upload, kind: 'image' | 'file') {
  const { state, pass, sweep, announced, by, parts } = workshop;
  pass(3 * hourMs);
  await sweep();
  const seen = await state(upload.id);
  expect(seen.upload).toMatchObject({ status: 'ready', announced: true, dueAt: null, hasThumbnail: kind === 'image' });
  expect(seen.keys).toEqual(servedKeys(upload.id, kind));
  expect(announced.filter((one) => one.id === upload.id).length).toBeGreaterThan(0);
  expect(await parts.store.findDue(parts.clock(), 10, by())).toEqual([]);
}

describe.each(contents)('given a stored %s', (kind, contentType, make) => {
  const stored = async () => workshop.stored(newUser(), contentType, await make());
  const of = (upload: Upload) => ({ actorId: upload.ownerId, uploadId: upload.id });
  const confirmed = async () => {
    const upload = await stored();
    return confirmUpload(workshop.parts, of(upload), 'trace', workshop.by());
  };

  it(
    'when a process dies at any step of the confirmation, then repeating it is enough',
    async () => {
      await dieAtEachStep(
        stored,
        (parts, upload) => confirmUpload(parts, of(upload), 'trace', workshop.by()),
        async (upload) => {
          const again = await confirmUpload(workshop.parts, of(upload), 'trace', workshop.by());
          expect(again.status).toBe('processing');
          await workshop.recover();
          await expectServed(upload, kind);
        },
      );
    },
    patience,
  );

  it(
    'when a worker dies at any step, then others finish its work',
    async () => {
      await dieAtEachStep(
        async () => {
          const upload = await confirmed();
          workshop.queued.length = 0;
          return upload;
        },
        (parts, upload) => processUpload(parts, upload.id, 'trace'),
        async (upload) => {
          await workshop.recover();
          await expectServed(upload, kind);
        },
      );
    },
    patience,
  );

  it('when the same work arrives at several workers at once, then it is done once', async () => {
    const upload = await confirmed();
    workshop.queued.length = 0;
    const before = workshop.announced.length;
    await Promise.all(Array.from({ length: 6 }, () => processUpload(workshop.parts, upload.id, 'trace')));
    const { upload: seen } = await workshop.state(upload.id);
    expect(seen).toMatchObject({ status: 'ready', attempts: 1 });
    expect(workshop.announced.length - before).toBe(1);
    await expectServed(upload, kind);
  });

  it(
    'when it is deleted at any step of its processing, then nothing of it remains',
    async () => {
      await dieAtEachStep(
        confirmed,
        async (parts, upload) => {
          await processUpload(parts, upload.id, 'trace').catch(() => undefined);
          await deleteUpload(workshop.parts, of(upload), workshop.by());
        },
        async (upload) => {
          workshop.pass(3 * hourMs);
          await workshop.work();
          await workshop.sweep();
          expect(await workshop.state(upload.id)).toEqual({ upload: undefined, keys: [] });
        },
      );
    },
    patience,
  );

  it('when a worker is overtaken by a deletion, then it removes what it promoted', async () => {
    const upload = await confirmed();
    workshop.queued.length = 0;
    const { objects } = workshop.parts;
    const slow = {
      ...workshop.parts,
      objects: {
        ...objects,
        put: async (...args: Parameters<typeof objects.put>) => {
          await objects.put(...args);
          await deleteUpload(workshop.parts, of(upload), workshop.by()).catch(() => undefined);
        },
        copy: async (...args: Parameters<typeof objects.copy>) => {
          const copied = await objects.copy(...args);
          await deleteUpload(workshop.parts, of(upload), workshop.by());
          return copied;
        },
      },
    };
    expect(await processUpload(slow, upload.id, 'trace')).toBe(0);
    const seen = await workshop.state(upload.id);
    expect(seen).toEqual({ upload: expect.objectContaining({ status: 'deleted' }), keys: [] });
  });

  it(
    'when a process dies at any step of a deletion, then the sweeper finishes it or it can be repeated',
    async () => {
      await dieAtEachStep(
        async () => {
          const upload = await confirmed();
          await workshop.work();
          return upload;
        },
        (parts, upload) => deleteUpload(parts, of(upload), workshop.by()),
        async (upload) => {
          await deleteUpload(workshop.parts, of(upload), workshop.by());
          workshop.pass(3 * hourMs);
          await workshop.sweep();
          expect(await workshop.state(upload.id)).toEqual({ upload: undefined, keys: [] });
        },
      );
    },
    patience,
  );

  it(
    'when it is never confirmed and sweepers die at any step, then the next ones remove it',
    async () => {
      await dieAtEachStep(
        stored,
        async (parts, upload) => {
          workshop.pass(2 * hourMs);
          await sweepUpload(parts, upload, workshop.by());
        },
        async (upload) => {
          workshop.pass(hourMs);
          await workshop.sweep();
          workshop.pass(hourMs);
          await workshop.sweep();
          expect(await workshop.state(upload.id)).toEqual({ upload: undefined, keys: [] });
        },
      );
    },
    patience,
  );
});

describe('given a wish for an upload', () => {
  it('when the process dies at any step, then what it left is swept', async () => {
    const ownerId = newUser();
    const wish = { ownerId, fileName: 'x', contentType: 'image/png', size: 9, sha256: '', purpose: 'message' as const };
    for (const when of ['before', 'after'] as const) {
      for (let step = 1; step <= 2; step++) {
        const dying = dyingParts(workshop.parts, step, when);
        await expect(createUpload(dying, wish, workshop.by())).rejects.toThrow(Crash);
      }
    }
    workshop.pass(2 * hourMs);
    await workshop.sweep();
    await workshop.sweep();
    expect(await workshop.parts.store.findDue(workshop.parts.clock() + 24 * hourMs, 10, workshop.by())).toEqual([]);
  });
});

describe('given work that fails', () => {
  async function processing() {
    const upload = await workshop.stored(newUser(), 'application/pdf', sample.pdf());
    await confirmUpload(workshop.parts, { actorId: upload.ownerId, uploadId: upload.id }, 'trace', workshop.by());
    workshop.queued.length = 0;
    return upload;
  }
  const failing = (error: Error): AllParts => ({
    ...workshop.parts,
    objects: { ...workshop.parts.objects, copy: () => Promise.reject(error) },
  });

  it('when it fails for no known reason five times, then it is given up and everybody is told', async () => {
    const upload = await processing();
    const poisoned = failing(new Error('unexpected'));
    for (let attempt = 1; attempt <= 5; attempt++) {
      expect(await processUpload(poisoned, upload.id, 'trace')).toBeGreaterThan(0);
      expect((await workshop.state(upload.id)).upload).toMatchObject({ status: 'processing', attempts: attempt });
    }
    expect(await processUpload(poisoned, upload.id, 'trace')).toBe(0);
    const seen = await workshop.state(upload.id);
    const reason = 'The file could not be processed.';
    expect(seen).toEqual({
      upload: expect.objectContaining({ status: 'rejected', reason, announced: true }),
      keys: [],
    });
    expect(workshop.announced.at(-1)).toMatchObject({ id: upload.id, status: 'rejected' });
  });

  it('when it brings down every worker, then it is given up as well', async () => {
    const upload = await processing();
    for (let attempt = 1; attempt <= 5; attempt++) {
      // The third step follows the claim.
      const dying = dyingParts(workshop.parts, 3, 'before');
      await expect(processUpload(dying, upload.id, 'trace')).rejects.toThrow(Crash);
      workshop.pass(2 * 60_000);
    }
    expect(await processUpload(workshop.parts, upload.id, 'trace')).toBe(0);
    expect((await workshop.state(upload.id)).upload).toMatchObject({ status: 'rejected', attempts: 5 });
  });

  it('when the storage is away, then no attempt is counted, however often', async () => {
    const upload = await processing();
    for (let attempt = 0; attempt < 8; attempt++) {
      const waitMs = await processUpload(failing(new AppError('UNAVAILABLE', 'away')), upload.id, 'trace');
      expect(waitMs).toBeGreaterThan(0);
    }
    expect((await workshop.state(upload.id)).upload).toMatchObject({ status: 'processing', attempts: 0 });
    expect(await processUpload(workshop.parts, upload.id, 'trace')).toBe(0);
    expect((await workshop.state(upload.id)).upload?.status).toBe('ready');
  });

  it('when the bytes in quarantine were changed after the confirmation, then it is rejected', async () => {
    const upload = await processing();
    await workshop.bucket.write(`quarantine/${upload.id}`, sample.program());
    expect(await processUpload(workshop.parts, upload.id, 'trace')).toBe(0);
    const seen = await workshop.state(upload.id);
    const reason = 'The stored bytes are gone or were changed.';
    expect(seen).toEqual({ upload: expect.objectContaining({ status: 'rejected', reason }), keys: [] });
  });

  it('when nobody can be told, then it is told later', async () => {
    const upload = await processing();
    const mute = { ...workshop.parts, announcer: { announce: () => false } };
    expect(await processUpload(mute, upload.id, 'trace')).toBeGreaterThan(0);
    expect((await workshop.state(upload.id)).upload).toMatchObject({ status: 'ready', announced: false });
    await workshop.recover();
    expect((await workshop.state(upload.id)).upload).toMatchObject({ status: 'ready', announced: true });
    expect(workshop.announced.filter((one) => one.id === upload.id)).toHaveLength(1);
  });

  it('when the queue does not take it, then the sweeper tries until it does, ever less often', async () => {
    const upload = await processing();
    const deaf = { ...workshop.parts, queue: { enqueue: () => Promise.resolve(false) } };
    for (let round = 0; round < 3; round++) {
      workshop.pass(60_000);
      await sweepUpload(deaf, (await workshop.state(upload.id)).upload as Upload, workshop.by());
    }
    expect((await workshop.state(upload.id)).upload).toMatchObject({ status: 'processing', enqueued: 1 });
    workshop.pass(60_000);
    await workshop.sweep();
    const requeued = (await workshop.state(upload.id)).upload;
    expect(requeued).toMatchObject({ status: 'processing', enqueued: 2 });
    expect((requeued?.dueAt ?? 0) - workshop.parts.clock()).toBeGreaterThan(25_000);
    expect(workshop.queued).toEqual([upload.id]);
    await workshop.work();
    expect((await workshop.state(upload.id)).upload?.status).toBe('ready');
  });
});

describe('given work that takes longer than a lease', () => {
  const slowly = async (parts: AllParts, upload: Upload, meanwhile: () => Promise<void>) => {
    const { objects } = parts;
    const slow: AllParts = {
      ...parts,
      process: { ...parts.process, leaseMs: 300 },
      objects: {
        ...objects,
        copy: async (...args) => {
          for (let turn = 0; turn < 10; turn++) {
            await sleep(100);
            await meanwhile();
          }
          return objects.copy(...args);
        },
      },
    };
    return processUpload(slow, upload.id, 'trace');
  };
  const confirmed = async () => {
    const upload = await workshop.stored(newUser(), 'application/pdf', sample.pdf());
    const of = { actorId: upload.ownerId, uploadId: upload.id };
    await confirmUpload(workshop.parts, of, 'trace', workshop.by());
    workshop.queued.length = 0;
    return upload;
  };

  it('when its worker lives, then nobody else begins it', async () => {
    const upload = await confirmed();
    let others = 0;
    const outcome = await slowly(workshop.parts, upload, async () => {
      const elsewhere = {
        ...workshop.parts,
        meter: { ...workshop.parts.meter, processed: () => void (others += 1) },
      };
      expect(await processUpload(elsewhere, upload.id, 'trace')).toBe(0);
    });
    expect([outcome, others]).toEqual([0, 0]);
    expect((await workshop.state(upload.id)).upload).toMatchObject({ status: 'ready', attempts: 1, leaseUntil: 0 });
  });

  it('when it is deleted meanwhile, then its worker notices and removes what it made', async () => {
    const upload = await confirmed();
    let deleted: Promise<void> | undefined;
    await slowly(workshop.parts, upload, async () => {
      deleted ??= deleteUpload(workshop.parts, { actorId: upload.ownerId, uploadId: upload.id }, workshop.by());
      await deleted;
    });
    const seen = await workshop.state(upload.id);
    expect(seen).toEqual({ upload: expect.objectContaining({ status: 'deleted' }), keys: [] });
  });
});

describe('given a storage that keeps no checksums', () => {
  it.each(contents)(
    'when the %s does not have the declared one, then processing rejects it',
    async (_kind, contentType, make) => {
      const upload = await workshop.stored(newUser(), contentType, await make());
      const declared = { ...upload.declared, sha256: 'ab'.repeat(32) };
      await workshop.parts.store.save({ ...upload, declared }, workshop.by());
      const of = { actorId: upload.ownerId, uploadId: upload.id };
      const confirmed = await confirmUpload(workshop.parts, of, 'trace', workshop.by());
      expect(confirmed).toMatchObject({ status: 'processing', checksumVerified: false });
      await workshop.work();
      const reason = 'The stored bytes do not have the declared checksum.';
      expect((await workshop.state(upload.id)).upload).toMatchObject({ status: 'rejected', reason });
    },
  );
});
