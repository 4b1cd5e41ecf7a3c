import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type MediaUnderTest, newUser, startMediaUnderTest } from './support/media-under-test.ts';

let media: MediaUnderTest;

beforeAll(async () => {
  media = await startMediaUnderTest();
});
afterAll(() => media.close());

const valid = () => ({
  actorId: newUser(),
  fileName: 'plan.pdf',
  contentType: 'application/pdf',
  size: 1_000,
  sha256: '',
  purpose: 'message',
});
const create = (change: object) => media.call.CreateUpload({ ...valid(), ...change }, media.context());

describe('given a wish for an upload', () => {
  const megabyte = 1024 * 1024;
  const refused: [string, object, object][] = [
    [
      'a size of nothing',
      { size: 0 },
      { code: 'VALIDATION_FAILED', fields: [expect.objectContaining({ path: 'size' })] },
    ],
    ['a negative size', { size: -5 }, { code: 'VALIDATION_FAILED' }],
    ['an image of more than 20 MB', { contentType: 'image/png', size: 20 * megabyte + 1 }, { code: 'FILE_TOO_LARGE' }],
    ['a video of more than 100 MB', { contentType: 'video/mp4', size: 100 * megabyte + 1 }, { code: 'FILE_TOO_LARGE' }],
    ['a file of more than 100 MB', { size: 100 * megabyte + 1 }, { code: 'FILE_TOO_LARGE' }],
    ['a program', { contentType: 'application/x-msdownload' }, { code: 'UNSUPPORTED_MEDIA_TYPE' }],
    ['an unknown type', { contentType: 'made/up' }, { code: 'UNSUPPORTED_MEDIA_TYPE' }],
    ['a type with parameters', { contentType: 'text/plain; charset=utf-8' }, { code: 'VALIDATION_FAILED' }],
    ['a header in the type', { contentType: 'image/png\r\nx: y' }, { code: 'VALIDATION_FAILED' }],
    ['an avatar that is no image', { purpose: 'avatar' }, { code: 'UNSUPPORTED_MEDIA_TYPE' }],
    ['an unknown purpose', { purpose: 'fun' }, { code: 'VALIDATION_FAILED' }],
    ['no purpose', { purpose: '' }, { code: 'VALIDATION_FAILED' }],
    ['no name', { fileName: '' }, { code: 'VALIDATION_FAILED' }],
    ['a name of nothing but a path', { fileName: '../../' }, { code: 'VALIDATION_FAILED' }],
    ['a name that is too long', { fileName: 'x'.repeat(256) }, { code: 'VALIDATION_FAILED' }],
    ['a checksum in capitals', { sha256: 'AB'.repeat(32) }, { code: 'VALIDATION_FAILED' }],
    ['somebody who is nobody', { actorId: 'me' }, { code: 'VALIDATION_FAILED' }],
  ];

  it.each(refused)('when it has %s, then it is refused with its reason', async (_what, change, expected) => {
    await expect(create(change)).rejects.toMatchObject(expected);
  });

  it.each([
    ['an image of exactly 20 MB', { contentType: 'image/png', size: 20 * megabyte }, 'image'],
    ['a video of exactly 100 MB', { contentType: 'video/mp4', size: 100 * megabyte }, 'video'],
    ['an SVG', { contentType: 'image/svg+xml' }, 'file'],
    ['HTML', { contentType: 'text/html' }, 'file'],
    ['a HEIC', { contentType: 'image/heic' }, 'file'],
    ['capitals in the type', { contentType: 'IMAGE/PNG' }, 'image'],
  ])('when it has %s, then it is granted', async (_what, change, kind) => {
    const { uploadId } = await create(change);
    expect(await media.record(uploadId)).toMatchObject({ status: 'pending', kind, version: 1 });
  });

  it.each([
    ['C:\\Users\\me\\plan.pdf', 'plan.pdf'],
    ['../../etc/passwd', 'passwd'],
    ['in\u0000voice\u202Efdp.exe', 'invoicefdp.exe'],
    ['  a \n b\t.pdf ', 'a b.pdf'],
    ['👩\u200d🚀 e\u0301.png', '👩\u200d🚀 é.png'],
  ])('when its name is %j, then it is kept as %j', async (fileName, kept) => {
    const { uploadId } = await create({ fileName });
    expect((await media.record(uploadId))?.fileName).toBe(kept);
  });
});

describe('given any request at all', () => {
  const someId = fc.oneof(fc.uuid(), fc.string({ unit: 'binary' }), fc.constantFrom('', '{}', '$ne', newUser()));
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constantFrom('image/png', 'message', '__proto__'),
  );
  const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(1, 2 ** 62, -(2 ** 62), -1, 0));
  const requests = {
    CreateUpload: fc.record({
      actorId: someId,
      fileName: text,
      contentType: fc.oneof(text, fc.constantFrom('image/png', 'text/plain')),
      size: fc.oneof(number, fc.integer({ min: 1, max: 1_000 })),
      sha256: fc.oneof(text, fc.constant('')),
      purpose: fc.constantFrom('message', 'avatar', '', 'x'),
    }),
    ConfirmUpload: fc.record({ actorId: someId, uploadId: someId }),
    GetUpload: fc.record({ actorId: someId, uploadId: someId }),
    DeleteUpload: fc.record({ actorId: someId, uploadId: someId }),
    ResolveAttachments: fc.record({ actorId: someId, uploadIds: fc.array(someId, { maxLength: 120 }) }),
    GetUploads: fc.record({ uploadIds: fc.array(someId, { maxLength: 600 }) }),
    SignDownload: fc.record({ uploadId: someId, thumbnail: fc.boolean() }),
  };
  const expected = ['VALIDATION_FAILED', 'NOT_FOUND', 'UNSUPPORTED_MEDIA_TYPE', 'FILE_TOO_LARGE'];

  it.each(Object.keys(requests) as (keyof typeof requests)[])(
    'when it is sent to %s, then it is answered or refused with a reason',
    async (method) => {
      await fc.assert(
        fc.asyncProperty(requests[method] as fc.Arbitrary<never>, async (request) => {
          const call = media.call[method] as (request: never, context: unknown) => Promise<unknown>;
          const outcome = await call(request, media.context()).catch((error: unknown) => error);
          if (outcome instanceof Error) expect(expected).toContain((outcome as Error & { code?: string }).code);
        }),
        { numRuns: 150 },
      );
    },
  );

  it('when more uploads are asked for than allowed, then that is said', async () => {
    const uploadIds = Array.from({ length: 501 }, newUser);
    await expect(media.call.GetUploads({ uploadIds }, media.context())).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      fields: [{ path: 'uploadIds', code: 'invalid', message: 'must be at most 500' }],
    });
    const { uploads } = await media.call.GetUploads({ uploadIds: uploadIds.slice(1) }, media.context());
    expect(uploads).toEqual([]);
  });
});
