import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PushServiceDefinition } from '@bluewave/protos/generated/bluewave/push/v1/PushService';
import { streams, subjects } from '@bluewave/events/subjects';
import { userUpdated } from '@bluewave/events/codec';
import { storeUuid } from '@bluewave/mongo/uuid';
import type { RpcClient } from '@bluewave/rpc/client';
import { inboxOf, setFault } from './support/fcm-inbox.ts';
import {
  callerOf,
  context,
  conversationOf,
  person,
  type Person,
  type Platform,
  startPlatform,
} from './support/push-for-test.ts';
import { pause, until } from './support/until.ts';
import type { RunningPush } from '../src/server.ts';

describe('notifications', () => {
  let platform: Platform;
  let service: RunningPush;
  let push: RpcClient<PushServiceDefinition>;

  const register = async (...people: Person[]) => {
    for (const { userId, deviceId, token } of people) {
      await push.call.PutToken({ actorId: userId, deviceId, provider: 'fcm', token }, context());
    }
  };
  const arrived = (token: string, count = 1, ms?: number) =>
    until(
      `notification ${count}`,
      async () => {
        const items = await inboxOf(token);
        return items.length >= count && items;
      },
      ms,
    );
  const boot = randomUUID();
  const connect = async ({ userId, deviceId }: Person) => {
    await platform.presence.renew(boot);
    await platform.presence.connect(boot, { userId, deviceId, socketId: randomUUID() });
  };
  const point = (conversationId: string, who: Person, pointers: { readSeq?: number; deliveredSeq?: number }) => {
    const audience = platform.peers.audiences.get(conversationId);
    const recipient = audience?.recipients.find(({ userId }) => userId === who.userId);
    Object.assign(recipient ?? {}, pointers);
  };
  const stateOf = async (seq: number, who: Person) => {
    const all = await platform.stored.deliveries.find({ '_id.s': seq }).toArray();
    return all.find(({ _id }) => Buffer.from(_id.d.buffer).toString('hex') === who.deviceId.replaceAll('-', ''));
  };

  beforeAll(async () => {
    platform = await startPlatform();
    service = await platform.start();
    push = callerOf(service);
  });
  afterAll(async () => {
    await platform.presence.release(boot);
    push.close();
    await platform.close();
  });

  it('given an offline member, when a message is committed, then the phone gets it once, with all that opens it', async () => {
    const [alice, bob] = [person(), person()];
    await register(alice, bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    platform.peers.names.set(alice.userId, 'Alice');
    const message = await platform.publish({ conversationId, senderId: alice.userId, text: 'See you at 8?' });
    const messageId = `${conversationId}:${message.seq}`;
    const [item] = await arrived(bob.token);
    expect(item?.message).toMatchObject({
      notification: { title: 'New Message from Alice', body: 'See you at 8?' },
      data: { conversationId, messageId, seq: String(message.seq) },
      android: { collapse_key: messageId, ttl: '86400s', notification: { tag: messageId } },
      apns: { headers: { 'apns-collapse-id': messageId } },
      webpush: { notification: { tag: messageId } },
    });
    await until('the record', async () => (await stateOf(message.seq, bob))?.state === 'done');
    expect(await stateOf(message.seq, bob)).toMatchObject({ state: 'done', outcome: 'accepted', attempts: 1 });
    expect(await inboxOf(bob.token)).toHaveLength(1);
    expect(await inboxOf(alice.token)).toEqual([]);
    expect(platform.peers.calls.traceIds).toContain(message.traceId);
  });

  it('given a group, when a photo is sent, then the title names both and the body says what it is', async () => {
    const [alice, bob, cem] = [person(), person(), person()];
    await register(bob, cem);
    const conversationId = conversationOf(platform, [alice, bob, cem], { type: 'group', name: 'Trip' });
    const attachments = [{ kind: 'image' }, { kind: 'file' }];
    await platform.publish({ conversationId, senderId: alice.userId, text: '', attachments });
    for (const { token } of [bob, cem]) {
      const [item] = await arrived(token);
      expect(item?.message.notification).toEqual({ title: 'Person 0 in Trip', body: 'Photo and 1 more' });
    }
  });

  it('given the same entry again, when it comes by another message of the stream, then nothing is sent twice', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    const first = await platform.publish({ conversationId, senderId: alice.userId });
    await arrived(bob.token);
    const [, later = first] = await platform.publishTogether(first, { conversationId, senderId: alice.userId });
    await arrived(bob.token, 2);
    await pause(300);
    expect((await inboxOf(bob.token)).map(({ message }) => message.data['seq'])).toEqual([
      String(first.seq),
      String(later.seq),
    ]);
  });

  it('given entries of one message, when some have to be looked at again, then each phone rings once and in its time', async () => {
    const [alice, bob, cem, dan] = [person(), person(), person(), person()];
    await register(bob, cem, dan);
    await connect(bob);
    await connect(cem);
    // Cem's phone got the message meanwhile, Bob's did not.
    const [toBob, toCem, toDan] = [bob, cem, dan].map((one) => conversationOf(platform, [alice, one])) as [
      string,
      string,
      string,
    ];
    const sent = await platform.publishTogether(
      ...[toBob, toCem, toDan, toDan].map((conversationId) => ({ conversationId, senderId: alice.userId })),
    );
    point(toCem, cem, { deliveredSeq: sent[1]?.seq ?? 0 });
    await arrived(dan.token, 2);
    expect(await inboxOf(bob.token)).toEqual([]);
    await arrived(bob.token, 1, 15_000);
    await pause(500);
    const seqs = (await Promise.all([bob, cem, dan].map(({ token }) => inboxOf(token)))).map((inbox) =>
      inbox.map(({ message }) => Number(message.data['seq'])).sort((a, b) => a - b),
    );
    expect(seqs).toEqual([[sent[0]?.seq], [], [sent[2]?.seq, sent[3]?.seq]]);
  });

  it('given a connected member, when the message is delivered or read in time, then no phone rings', async () => {
    const [alice, bob, cem, dan] = [person(), person(), person(), person()];
    await register(bob, cem, dan);
    await connect(bob);
    await connect(cem);
    const conversationId = conversationOf(platform, [alice, bob, cem, dan]);
    const { seq } = await platform.publish({ conversationId, senderId: alice.userId });
    await arrived(dan.token);
    point(conversationId, bob, { deliveredSeq: seq });
    point(conversationId, cem, { readSeq: seq });
    await pause(6_500);
    expect(await inboxOf(bob.token)).toEqual([]);
    expect(await inboxOf(cem.token)).toEqual([]);
    expect(await inboxOf(dan.token)).toHaveLength(1);
  });

  it('given a connected device that stays silent, when 5 s have passed, then it is pushed', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    await connect(bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    const { atMs } = await platform.publish({ conversationId, senderId: alice.userId });
    const [item] = await arrived(bob.token, 1, 15_000);
    expect(Date.parse(item?.at ?? '') - atMs).toBeGreaterThanOrEqual(4_900);
    expect(await inboxOf(bob.token)).toHaveLength(1);
  });

  it('given a member with a live and an offline device, when it is delivered live, then only the offline one rings', async () => {
    const [alice, bob] = [person(), person()];
    const phone = { ...bob, deviceId: randomUUID(), token: `token-${randomUUID()}` };
    await register(bob, phone);
    await connect(bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    point(conversationId, bob, { deliveredSeq: Number.MAX_SAFE_INTEGER });
    await platform.publish({ conversationId, senderId: alice.userId });
    await arrived(phone.token);
    await pause(300);
    expect(await inboxOf(bob.token)).toEqual([]);
  });

  it('given an entry that names its recipients, when none of their devices is due, then chat is not even asked', async () => {
    const [alice, bob, cem] = [person(), person(), person()];
    await register(bob);
    await connect(bob);
    const conversationId = conversationOf(platform, [alice, bob, cem]);
    const recipientIds = [bob.userId, cem.userId];
    await platform.publish({ conversationId, senderId: alice.userId, recipientIds: [cem.userId] });
    const { seq } = await platform.publish({ conversationId, senderId: alice.userId, recipientIds });
    await pause(600);
    expect(platform.peers.calls.conversations).not.toContain(conversationId);
    expect(await platform.stored.deliveries.countDocuments({ '_id.c': storeUuid(conversationId) })).toBe(0);
    await arrived(bob.token, 1, 15_000);
    expect((await inboxOf(bob.token))[0]?.message.data['seq']).toBe(String(seq));
  });

  it('given a recipient who was removed since, when the notification is due, then only who still is a member gets it', async () => {
    const [alice, bob, cem] = [person(), person(), person()];
    await register(bob, cem);
    const conversationId = conversationOf(platform, [alice, bob]);
    const recipientIds = [bob.userId, cem.userId];
    await platform.publish({ conversationId, senderId: alice.userId, recipientIds });
    await arrived(bob.token);
    await pause(300);
    expect(await inboxOf(cem.token)).toEqual([]);
  });

  it('given a message that was deleted, or read already, or a conversation that is gone, then nobody is told', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    const [deleted, read, kept] = [0, 1, 2].map(() => conversationOf(platform, [alice, bob])) as [
      string,
      string,
      string,
    ];
    const audience = platform.peers.audiences.get(deleted);
    if (audience) audience.gone = true;
    point(read, bob, { readSeq: Number.MAX_SAFE_INTEGER });
    for (const conversationId of [deleted, read, randomUUID(), kept]) {
      await platform.publish({ conversationId, senderId: alice.userId });
    }
    await arrived(bob.token);
    await pause(300);
    const seen = await inboxOf(bob.token);
    expect(seen.map(({ message }) => message.data['conversationId'])).toEqual([kept]);
  });

  it('given a dead token, when it is met, then exactly that token is forgotten', async () => {
    const [alice, bob] = [person(), person()];
    const tablet = { ...bob, deviceId: randomUUID(), token: `token-${randomUUID()}` };
    await register(bob, tablet);
    await setFault(bob.token, 'UNREGISTERED');
    const conversationId = conversationOf(platform, [alice, bob]);
    const { seq } = await platform.publish({ conversationId, senderId: alice.userId });
    await arrived(tablet.token);
    await until('the record', async () => (await stateOf(seq, bob))?.state === 'done');
    expect(await stateOf(seq, bob)).toMatchObject({ outcome: 'unregistered', attempts: 1 });
    const { tokens } = await push.call.ListTokens({ actorId: bob.userId }, context());
    expect(tokens.map(({ deviceId }) => deviceId)).toEqual([tablet.deviceId]);
  });

  it('given a session that ended, when its device still has a token, then it gets nothing and is forgotten', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    platform.peers.ended.add(`${bob.userId}/${bob.deviceId}`);
    const conversationId = conversationOf(platform, [alice, bob]);
    const { seq } = await platform.publish({ conversationId, senderId: alice.userId });
    await until('the record', async () => (await stateOf(seq, bob))?.state === 'done');
    expect(await stateOf(seq, bob)).toMatchObject({ outcome: 'logged-out' });
    expect(await inboxOf(bob.token)).toEqual([]);
    expect((await push.call.ListTokens({ actorId: bob.userId }, context())).tokens).toEqual([]);
  });

  it('given chat and then auth away for a while, when they are back, then what was committed meanwhile arrives', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    platform.peers.away.chat = true;
    await platform.publish({ conversationId, senderId: alice.userId });
    await pause(700);
    platform.peers.away.chat = false;
    await arrived(bob.token, 1);
    platform.peers.away.auth = true;
    await platform.publish({ conversationId, senderId: alice.userId });
    await pause(700);
    expect(await inboxOf(bob.token)).toHaveLength(1);
    platform.peers.away.auth = false;
    expect(await arrived(bob.token, 2)).toHaveLength(2);
  });

  it('given a provider that fails for one of two devices, when it heals, then both have got it once', async () => {
    const [alice, bob, cem] = [person(), person(), person()];
    await register(bob, cem);
    await setFault(bob.token, 'INTERNAL');
    const conversationId = conversationOf(platform, [alice, bob, cem]);
    const { seq } = await platform.publish({ conversationId, senderId: alice.userId });
    await arrived(cem.token);
    await until('a failed attempt', async () => (await stateOf(seq, bob))?.state === 'waiting');
    await setFault(bob.token, null);
    await arrived(bob.token);
    await pause(300);
    expect(await inboxOf(bob.token)).toHaveLength(1);
    expect(await inboxOf(cem.token)).toHaveLength(1);
  });

  it('given a provider that hangs, when 5 s have passed, then the attempt ends and another one follows', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    await setFault(bob.token, 'HANG');
    const conversationId = conversationOf(platform, [alice, bob]);
    const { seq } = await platform.publish({ conversationId, senderId: alice.userId });
    await until('the end of the first attempt', async () => (await stateOf(seq, bob))?.state === 'waiting');
    expect(await inboxOf(bob.token)).toEqual([]);
    await setFault(bob.token, null);
    await arrived(bob.token, 1, 12_000);
    await pause(300);
    expect(await inboxOf(bob.token)).toHaveLength(1);
  });

  it('given a name that changed, when word of it comes, then the next notification has the new one', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    await platform.publish({ conversationId, senderId: alice.userId });
    await arrived(bob.token);
    platform.peers.names.set(alice.userId, 'Alice the Second');
    platform.nats.publish(subjects.userUpdated, userUpdated.encode({ userId: alice.userId }));
    await platform.nats.flush();
    await pause(50);
    await platform.publish({ conversationId, senderId: alice.userId });
    const [, second] = await arrived(bob.token, 2);
    expect(second?.message.notification.title).toBe('New Message from Alice the Second');
  });

  it('given bytes that are no entry, when they come, then they are dropped and the rest goes on', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    await platform.nats.jetstream().publish(subjects.entriesCommitted, Buffer.from([0x0a, 0xff, 0xff, 0x01]));
    await platform.publish({ conversationId, senderId: alice.userId });
    expect(await arrived(bob.token)).toHaveLength(1);
  });

  it('given a NATS that lost the consumer, when time passes, then it is made again and entries arrive', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    const jsm = await platform.nats.jetstreamManager();
    await jsm.consumers.delete(streams.entries.name, platform.durable);
    await until('the consumer', () =>
      jsm.consumers.info(streams.entries.name, platform.durable).then(
        () => true,
        () => false,
      ),
    );
    await platform.publish({ conversationId, senderId: alice.userId });
    expect(await arrived(bob.token)).toHaveLength(1);
  });

  it('given what was sent so far, when metrics are read, then attempts are counted by outcome', async () => {
    const text = await (await fetch(`http://127.0.0.1:${service.adminPort}/metrics`)).text();
    for (const outcome of ['accepted', 'unregistered', 'failed']) {
      expect(text).toMatch(new RegExp(`bluewave_push_attempts_total\\{[^}]*outcome="${outcome}"[^}]*\\} [1-9]`));
    }
    expect(text).toMatch(/bluewave_push_lag_seconds_count\{[^}]*\} [1-9]/);
  });
});
