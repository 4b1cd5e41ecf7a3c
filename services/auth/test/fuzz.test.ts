import { randomUUID } from 'node:crypto';
import { AppError } from '@bluewave/errors/app-error';
import { errorTable } from '@bluewave/errors/error-table';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AuthFixture, context, registration, startFixture } from './support/auth-fixture.ts';

let fixture: AuthFixture;
let userId: string;
let sessionId: string;
beforeAll(async () => {
  fixture = await startFixture({ RATE_LIMITS: 'off' });
  const session = await fixture.call.Register(registration('fuzzed_person'), context());
  userId = session.user?.user?.id ?? '';
  sessionId = session.sessionId;
});
afterAll(() => fixture.close());

/** Text as strangers send it: operators, controls, other planes, and now and then something real. */
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.constantFrom('', ' ', '\0', '$gt', '{"$ne":null}', '__proto__', 'fuzzed_person', 'fuzzed_person@example.com'),
  fc.constantFrom('+4915112345678', 'correct horse battery', 'ios', '123456', 'bwr_', 'a'.repeat(5_000)),
  fc.emailAddress(),
  fc.uuid(),
  fc.constant('').map(() => userId),
  fc.constant('').map(() => sessionId),
);
const device = fc.option(fc.record({ id: text, name: text, platform: text, appVersion: text }));
const number = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 1, 200, 2 ** 31 - 1));

const requests = {
  Register: fc.record({
    email: text,
    username: text,
    password: text,
    displayName: text,
    phone: text,
    device,
    ip: text,
  }),
  Login: fc.record({ identifier: text, password: text, device, ip: text }),
  RequestCode: fc.record({ identifier: text, ip: text }),
  VerifyCode: fc.record({ identifier: text, code: text, device, ip: text }),
  Refresh: fc.record({ refreshToken: text, ip: text }),
  Logout: fc.record({ actorId: text, sessionId: text }),
  LogoutAll: fc.record({ actorId: text }),
  GetUsers: fc.record({ ids: fc.array(text, { maxLength: 600 }) }),
  GetMe: fc.record({ actorId: text }),
  SearchUsers: fc.record({ actorId: text.map((id) => id || randomUUID()), query: text, limit: number, cursor: text }),
  ListDevices: fc.record({ actorId: text }),
  PutDevice: fc.record({ actorId: text, device }),
  DeleteDevice: fc.record({ actorId: text, deviceId: text }),
  CheckSessions: fc.record({ devices: fc.array(fc.record({ userId: text, deviceId: text }), { maxLength: 50 }) }),
  GetKeys: fc.constant({}),
};

describe('any request', () => {
  it.each(Object.entries(requests))(
    'given whatever %s may be asked, when it answers, then never with a fault of ours',
    async (method, request) => {
      const call = fixture.call[method as keyof typeof requests] as (
        given: unknown,
        given2: unknown,
      ) => Promise<unknown>;
      await fc.assert(
        fc.asyncProperty(request as fc.Arbitrary<unknown>, async (given) => {
          const outcome = await call(given, context()).catch((error: unknown) => error);
          if (!(outcome instanceof Error)) return;
          expect(outcome).toBeInstanceOf(AppError);
          const { code } = outcome as AppError;
          expect([code, errorTable[code].http < 500]).toEqual([code, true]);
        }),
        { numRuns: 60 },
      );
    },
  );
});
