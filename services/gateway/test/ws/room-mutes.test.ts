import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import { createClient } from '@bluewave/rpc/client';
import { loadService } from '@bluewave/rpc/service-definition';
import { type Person, World } from './world.ts';

describe('mutes in rooms', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ gateways: 2, rateLimits: true });
  }, 30_000);
  afterAll(() => world.close(), 30_000);

  const room = async (owner: Person, ...members: Person[]): Promise<string> => {
    const definition = loadService<ChatServiceDefinition>('chat', 'ChatService');
    const chat = createClient(definition, `127.0.0.1:${world.chat.grpcPort}`, 'chat', undefined);
    const userIds = members.map(({ userId }) => userId);
    const made = await chat.call.CreateConversation(
      { actorId: owner.userId, type: 'room', name: 'Hall', description: '', userIds, idempotencyKey: randomUUID() },
      { traceId: 'a'.repeat(32), deadline: Date.now() + 3_000 },
    );
    chat.close();
    return made.conversation?.info?.id ?? '';
  };

  it('given sockets on two gateways, when six are sent to a room, then all of the user’s hear of the mute, once', async () => {
    const [ada, bob] = await world.people('ada', 'bob');
    const conversationId = await room(ada, bob);
    const [ada1, ada2, bob1] = [await world.connect(ada, 0), await world.connect(ada, 1), await world.connect(bob, 0)];
    const say = (client = ada1) =>
      client.emit('message:send', { conversationId, clientMsgId: randomUUID(), text: 'x' });

    const left: unknown[] = [];
    for (const client of [ada1, ada2, ada1, ada2, ada1]) {
      const answer = await say(client);
      left.push(answer.ok ? answer.remaining : answer.error);
    }
    expect(left).toEqual([4, 3, 2, 1, 0]);
    const refused = await say();
    expect(refused).toMatchObject({
      ok: false,
      error: { code: 'RATE_LIMITED', mutedUntil: expect.stringMatching(/Z$/) },
    });
    const until = refused.ok ? '' : refused.error.mutedUntil;
    expect(await say(ada2)).toMatchObject({ ok: false, error: { code: 'RATE_LIMITED', mutedUntil: until } });
    for (const client of [ada1, ada2]) {
      await client.hear('conversation:muted');
      expect(client.of('conversation:muted')).toEqual([{ conversationId, until }]);
    }
    const bobs = await say(bob1);
    expect(bobs).toMatchObject({ ok: true, remaining: 4 });
    expect(bob1.of('conversation:muted')).toEqual([]);
  });

  it('given a group, when six are sent, then nothing is told of what is left', async () => {
    const ada = await world.person('ada');
    const { id } = await world.group(ada);
    const ada1 = await world.connect(ada, 0);
    for (let index = 0; index < 6; index += 1) expect(await ada1.say(id, 'x')).not.toHaveProperty('remaining');
  });
});
