import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Conversation, Message } from '@bluewave/api/objects';
import { type Person, World } from './world.ts';

describe('marks on messages over sockets', () => {
  let world: World;
  let ada: Person;
  let bob: Person;
  let group: Conversation;
  let message: Message;
  beforeAll(async () => {
    world = await World.start({ gateways: 2 });
    [ada, bob] = await world.people('ada', 'bob');
    group = await world.group(ada, bob);
    message = await world.send(ada, group.id, 'hello');
  }, 60_000);
  afterAll(() => world.close(), 30_000);

  it('given members on two gateways, when one reacts and pins, then all hear it under its own name', async () => {
    const [here, there] = [await world.connect(ada, 0), await world.connect(bob, 1)];
    await there.ok('message:react', { messageId: message.id, emoji: '❤', on: true });
    const heard = { conversationId: group.id, messageId: message.id, userId: bob.userId, emoji: '❤️', on: true };
    for (const client of [here, there]) expect(await client.hear('message:reaction')).toMatchObject(heard);
    await there.ok('message:react', { messageId: message.id, emoji: '❤️', on: false });
    for (const client of [here, there]) await client.hear('message:reaction', ({ on }) => on === false);
    await world.ok('PUT', `/messages/${message.id}/pin`, ada.accessToken);
    for (const client of [here, there]) {
      expect(await client.hear('message:pinned')).toMatchObject({ messageId: message.id, on: true });
    }
    const wrong = await there.emit('message:react', { messageId: message.id, emoji: 'no emoji', on: true });
    expect(wrong).toMatchObject({ ok: false, error: { code: 'VALIDATION_FAILED' } });
    here.close();
    there.close();
  });

  it('given one’s devices on two gateways, when one stars, then the others hear it and nobody else does', async () => {
    const [phone, laptop, other] = [
      await world.connect(bob, 0),
      await world.connect(bob, 1),
      await world.connect(ada, 0),
    ];
    await world.ok('PUT', `/messages/${message.id}/star`, bob.accessToken);
    for (const client of [phone, laptop]) {
      expect(await client.hear('message:starred')).toEqual({ messageId: message.id, on: true });
    }
    await world.ok('DELETE', `/messages/${message.id}/star`, bob.accessToken, undefined, 1);
    await phone.hear('message:starred', ({ on }) => on === false);
    expect(other.of('message:starred')).toEqual([]);
  });

  it('given two devices, when one reads, then the other is told what is left', async () => {
    const [phone, laptop] = [await world.connect(bob, 0), await world.connect(bob, 1)];
    const { seq } = await world.send(ada, group.id, 'unread');
    await phone.ok('message:read', { conversationId: group.id, seq });
    const { me } = await laptop.hear(
      'conversation:me',
      (payload) => (payload['me'] as { unread: number }).unread === 0,
    );
    expect(me).toMatchObject({ readSeq: seq, unread: 0, unreadMentions: 0 });
  });
});
