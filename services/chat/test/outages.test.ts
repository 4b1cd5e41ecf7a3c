import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import { eventually } from './support/chat-under-test.ts';
import { nth } from './support/nth.ts';
import { openOutageScene, type OutageScene } from './support/outage-scene.ts';

const timed = async <T>(work: Promise<T>): Promise<{ result: T; ms: number }> => {
  const start = Date.now();
  return { result: await work, ms: Date.now() - start };
};

const ways: ['silence' | 'refuse'][] = [['silence'], ['refuse']];
const shutdowns: ['nothing' | 'NATS' | 'MongoDB' | 'everything', ('nats' | 'mongo')[]][] = [
  ['nothing', []],
  ['NATS', ['nats']],
  ['MongoDB', ['mongo']],
  ['everything', ['mongo', 'nats']],
];

/**
 * A scene for each test. All are open before the first plays, and closed after the last: what databases cost that come
 * and go must not be in the times that are measured.
 */
let opening: Promise<OutageScene[]> | undefined;
const scenes = () =>
  (opening ??= Promise.all(Array.from({ length: 2 * ways.length + 1 + shutdowns.length }, openOutageScene)));
afterAll(async () => {
  await Promise.all((await scenes()).map((scene) => scene.close()));
}, 60_000);
let taken = 0;

/** Plays in a scene of its own: these tests wait more than they work, and so run at once. */
const inScene =
  <P extends unknown[]>(play: (scene: OutageScene, ...parameters: P) => Promise<void>) =>
  async (...parameters: P): Promise<void> => {
    const all = await scenes();
    await play(nth(all, taken++), ...parameters);
  };

describe('given NATS that is away', () => {
  it.concurrent.each(ways)(
    'when it goes by %s, then everything goes on, and what was written is told once it is back',
    inScene(async (scene, how: 'silence' | 'refuse') => {
      const { nats, replica, owner, conversationId, heard, outsider, outsiderAdded, send, hears } = scene;
      await send();
      await hears(2);
      nats[how]();
      const { result, ms } = await timed(Promise.all([send(), send(), send()]));
      expect(result.map(({ message }) => message?.seq)).toEqual([3, 4, 5]);
      expect(ms).toBeLessThan(2_500);
      const edited = await replica.call.EditMessage({ actorId: owner, conversationId, seq: 3, text: 'edited' });
      expect(edited.text).toBe('edited');
      await replica.call.AddMembers({ actorId: owner, conversationId, userIds: [outsider] });
      expect({ heard, outsiderAdded }).toEqual({ heard: new Set([2]), outsiderAdded: new Set() });
      nats.open();
      await hears(3, 4, 5, 6, 7);
      expect(outsiderAdded).toEqual(new Set([7]));
    }),
    60_000,
  );

  it.concurrent(
    'when its connection breaks while entries are on their way, then gateways hear each of them',
    inScene(async ({ nats, send, hears }) => {
      const seqs: number[] = [];
      for (let round = 0; round < 5; round++) {
        // What the gateways are sent is lost; what the stream is sent a moment later goes over the next connection.
        nats.silence();
        seqs.push((await send()).message?.seq ?? 0);
        nats.open();
        // A connection that broke a moment ago is made again later than that.
        await new Promise((resolve) => setTimeout(resolve, 700));
      }
      expect(seqs).toEqual([2, 3, 4, 5, 6]);
      await hears(...seqs);
    }),
    60_000,
  );
});

describe('given MongoDB that is away', () => {
  it.concurrent.each(ways)(
    'when it goes by %s, then callers are told to try again, and it goes on when it is back',
    inScene(async ({ mongo, replica, owner, conversationId, send, hears }, how: 'silence' | 'refuse') => {
      await send();
      mongo[how]();
      const clientMsgId = randomUUID();
      const sent = await timed(send('uncertain', clientMsgId));
      expect(sent.result).toEqual({ code: 'UNAVAILABLE' });
      const read = await timed(
        replica.call.GetConversation({ actorId: owner, conversationId }).catch((error: unknown) => error),
      );
      expect(read.result).toBeInstanceOf(AppError);
      expect(['UNAVAILABLE', 'DEADLINE_EXCEEDED']).toContain((read.result as AppError).code);
      // A caller's own deadline is shorter; this is what the server holds on to at most.
      expect([sent.ms, read.ms].filter((ms) => ms > 7_500)).toEqual([]);
      mongo.open();
      const again = await eventually(async () => (await send('uncertain', clientMsgId)).message);
      expect(again).toMatchObject({ text: 'uncertain' });
      expect((await send('after')).message?.seq).toBe(again.seq + 1);
      await hears(2, again.seq, again.seq + 1);
    }),
    60_000,
  );
});

describe('given a shutdown', () => {
  it.concurrent.each(shutdowns)(
    'when %s is away, then it ends in time, and what it left is finished by the next',
    inScene(async (scene, _what: string, away: ('nats' | 'mongo')[]) => {
      const { send, hears, collections } = scene;
      const sent = await Promise.all(Array.from({ length: 6 }, () => send()));
      expect(sent.every(({ message }) => message)).toBe(true);
      for (const one of away) scene[one].silence();
      const last = send('during');
      const { ms } = await timed(scene.chat.close());
      await last.catch((error: unknown) => expect(error).toBeInstanceOf(AppError));
      expect(ms).toBeLessThan(away.length === 0 ? 4_000 : 25_000);
      for (const one of away) scene[one].open();
      const next = await scene.another();
      await eventually(async () => ((await collections.boots.countDocuments()) === 0 ? true : undefined), 25_000);
      await hears(2, 3, 4, 5, 6, 7);
      await next.close();
    }),
    60_000,
  );
});
