import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultSweepRules, sweepUpload } from '../src/processing/sweeper.ts';
import { defaultRules } from '../src/uploads/upload.ts';
import { eventually, type MediaUnderTest, newUser, put, startMediaUnderTest } from './support/media-under-test.ts';
import * as sample from './support/sample-files.ts';
import { openWorkshop } from './support/workshop.ts';

type Workshop = Awaited<ReturnType<typeof openWorkshop>>;
let workshop: Workshop;

beforeAll(async () => {
  workshop = await openWorkshop();
});
afterAll(() => workshop.close());

const hourMs = 3_600_000;

describe('given uploads that were never confirmed', () => {
  it('when they are young, then they stay; when old, then many sweepers remove each of them once', async () => {
    const owners = Array.from({ length: 12 }, newUser);
    const uploads = await Promise.all(owners.map((owner) => workshop.stored(owner, 'application/pdf', sample.pdf())));
    workshop.pass(hourMs);
    await workshop.sweep();
    expect(await workshop.bucket.keys()).toHaveLength(12);
    workshop.pass(10 * 60_000);
    workshop.outcomes.length = 0;
    const due = await workshop.parts.store.findDue(workshop.parts.clock(), 100, workshop.by());
    expect(due.map((one) => one.id).sort()).toEqual(uploads.map((one) => one.id).sort());
    const sweepers = Array.from({ length: 4 }, async () => {
      for (const one of due) await sweepUpload(workshop.parts, one, workshop.by());
    });
    await Promise.all(sweepers);
    expect(workshop.outcomes).toEqual(Array(12).fill('expired'));
    expect(await workshop.bucket.keys()).toEqual([]);
    expect(
      await workshop.parts.store.findMany(
        uploads.map((one) => one.id),
        workshop.by(),
      ),
    ).toEqual([]);
  });
});

describe('given the limit of an hour', () => {
  it('when it is used up, then each place becomes free an hour after it was taken', async () => {
    const { limiter } = workshop.parts;
    const user = newUser();
    const start = Date.UTC(2030, 0, 1);
    const take = (minute: number) => limiter.take(user, 3, start + minute * 60_000, workshop.by());
    expect([await take(0), await take(10), await take(20)]).toEqual([0, 0, 0]);
    expect(await take(30)).toBe(30 * 60_000);
    expect(await take(59)).toBe(60_000);
    expect(await take(60)).toBe(0);
    expect(await take(61)).toBe(9 * 60_000);
    expect(await take(500)).toBe(0);
  });
});

describe('given a running service with short times', () => {
  let media: MediaUnderTest;
  beforeAll(async () => {
    const rules = { ...defaultRules, putMs: 3_000, lateMs: 1_000 };
    media = await startMediaUnderTest({ rules, sweep: { ...defaultSweepRules, everyMs: 250 } });
  });
  afterAll(() => media.close());

  it('when something is put again after it was processed or refused, then it is swept', async () => {
    const owner = newUser();
    const wish = { bytes: await sample.png(), contentType: 'image/png' };
    const reply = await media.create(owner, wish);
    await put(reply, wish.bytes);
    await media.call.ConfirmUpload({ actorId: owner, uploadId: reply.uploadId }, media.context());
    await media.settled(reply.uploadId);
    await media.leftQuarantine(reply.uploadId);
    expect((await put(reply, wish.bytes)).status).toBe(200);
    expect(await media.bucket.keys()).toContain(`quarantine/${reply.uploadId}`);
    await media.leftQuarantine(reply.uploadId);
    expect(await media.record(reply.uploadId)).toMatchObject({ status: 'ready' });
    expect(await media.bucket.keysOf(reply.uploadId)).toHaveLength(2);
  });

  it('when an upload expires, then its record and its object go by themselves', async () => {
    const uploadId = await media.upload(newUser(), { bytes: await sample.png(), contentType: 'image/png' });
    await eventually(async () => ((await media.record(uploadId)) === undefined ? true : undefined));
    expect(await media.bucket.keysOf(uploadId)).toEqual([]);
  });
});
