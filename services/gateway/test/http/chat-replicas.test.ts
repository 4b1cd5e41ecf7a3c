import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Command } from '@bluewave/protos/generated/bluewave/chat/v1/Command';
import { pickByRendezvous } from '@bluewave/rpc/rendezvous';
import type { RpcServer } from '@bluewave/rpc/server';
import { ChatReplicas } from '../../src/clients/chat-replicas.ts';
import { type ScriptedAnswer, startScriptedChat } from './support/peers.ts';
import { log } from './support/services.ts';

const message = (command: Command) => ({
  sent: {
    message: {
      conversationId: command.send?.conversationId ?? '',
      seq: 1,
      clientMsgId: command.send?.clientMsgId ?? '',
    },
    duplicate: false,
  },
});
const sendOf = (conversationId: string) => ({
  conversationId,
  clientMsgId: randomUUID(),
  type: 'text',
  text: 'hello',
  attachments: [],
  mentionUserIds: [],
  mentionsAll: false,
  replyToSeq: 0,
  threadRootSeq: 0,
});

describe('replicas of chat', () => {
  const servers: RpcServer[] = [];
  const clients: ChatReplicas[] = [];
  const context = (ms = 3_000) => ({ actorId: randomUUID(), traceId: 'a'.repeat(32), deadline: Date.now() + ms });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  const replica = async (heard: Command[], answer: (command: Command) => ScriptedAnswer = message) => {
    const heads = (ids: string[]) => ids.map((conversationId) => ({ conversationId, head: 1 }));
    const server = await startScriptedChat(
      { GetHeads: ({ conversationIds }) => Promise.resolve({ heads: heads(conversationIds) }) },
      (command) => {
        heard.push(command);
        return answer(command);
      },
    );
    servers.push(server);
    return server;
  };
  const replicasAt = (...ports: number[]): ChatReplicas => {
    const address = ports.map((port) => `127.0.0.1:${port}`).join(',');
    const client = new ChatReplicas({ address, tls: undefined, log });
    clients.push(client);
    return client;
  };

  it('given two replicas, when many conversations are written, then each is at home at one of them', async () => {
    const heard: [Command[], Command[]] = [[], []];
    const ports = [(await replica(heard[0])).port, (await replica(heard[1])).port] as const;
    const chat = replicasAt(...ports);
    const ids = Array.from({ length: 40 }, () => randomUUID());
    await Promise.all([...ids, ...ids].map((id) => chat.send(sendOf(id), context())));
    const names = ports.map((port) => `127.0.0.1:${port}`);
    for (const [index, name] of names.entries()) {
      const home = ids.filter((id) => pickByRendezvous(id, names) === name);
      expect(home.length).toBeGreaterThan(0);
      expect(new Set(heard[index]?.map(({ send }) => send?.conversationId))).toEqual(new Set(home));
    }
  });

  it('given a home that is away, when a message is sent, then the other replica takes it', async () => {
    const heard: Command[] = [];
    const { port } = await replica(heard);
    const chat = replicasAt(1, port);
    const started = Date.now();
    const ids = Array.from({ length: 10 }, () => randomUUID());
    const sent = await Promise.all(ids.map((id) => chat.send(sendOf(id), context())));
    expect(sent.map((reply) => reply.message?.conversationId)).toEqual(ids);
    expect(Date.now() - started).toBeLessThan(1_500);
    const heads = await Promise.all(ids.map((id) => chat.for(id).GetHeads({ conversationIds: [id] }, context())));
    expect(heads.map(({ heads: [head] }) => head?.conversationId)).toEqual(ids);
  });

  it('given an address where nobody answers any more, when messages are sent and read, then none waits for it', async () => {
    const heard: Command[] = [];
    const { port } = await replica(heard);
    // As an address that left with its pod: connections are begun and nothing ever comes.
    const begun: Socket[] = [];
    const gone = createServer((socket) => void begun.push(socket)).listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const chat = replicasAt((gone.address() as AddressInfo).port, port);
    expect(await chat.canBeReached(3_000)).toBe(true);
    const ids = Array.from({ length: 20 }, () => randomUUID());
    const answers = await Promise.all(
      ids.map(async (id) => {
        const { message: sent } = await chat.send(sendOf(id), context());
        const { heads } = await chat.any.GetHeads({ conversationIds: [id] }, context());
        return [sent?.conversationId, heads[0]?.conversationId];
      }),
    );
    expect(answers).toEqual(ids.map((id) => [id, id]));
    expect(heard).toHaveLength(ids.length);
    gone.close();
    for (const socket of begun) socket.destroy();
  });

  it('given a stream that breaks under a message, when it was not answered, then the same command is repeated', async () => {
    const heard: Command[] = [];
    const { port } = await replica(heard, (command) => (heard.length < 3 ? 'break' : message(command)));
    const send = sendOf(randomUUID());
    expect((await replicasAt(port).send(send, context())).message?.clientMsgId).toBe(send.clientMsgId);
    expect(heard.map((command) => command.send?.clientMsgId)).toEqual([1, 2, 3].map(() => send.clientMsgId));
  });

  it('given nobody there, when a message is sent, then it fails as retryable before the deadline', async () => {
    const chat = replicasAt(1);
    const started = Date.now();
    await expect(chat.send(sendOf(randomUUID()), context(800))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(Date.now() - started).toBeLessThan(800);
  });

  it('given a replica that does not answer, when a message is sent, then it fails as unknown within the deadline', async () => {
    const { port } = await replica([], () => 'silence');
    const chat = replicasAt(port);
    await expect(chat.send(sendOf(randomUUID()), context(400))).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('given a refused command, when it is sent, then code, time and mute reach the caller', async () => {
    const server = await startScriptedChat({}, () => ({
      error: { code: 'RATE_LIMITED', detail: 'Slow down.', retryAfterMs: 900, mutedUntil: '2030-01-01T00:00:00.000Z' },
    }));
    servers.push(server);
    await expect(replicasAt(server.port).send(sendOf(randomUUID()), context())).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      detail: 'Slow down.',
      retryAfterMs: 900,
      mutedUntil: '2030-01-01T00:00:00.000Z',
    });
  });

  it('given a name, when it resolves, then its addresses are the replicas', async () => {
    const heard: Command[] = [];
    const { port } = await replica(heard);
    const client = new ChatReplicas({ address: `localhost:${port}`, tls: undefined, log });
    clients.push(client);
    await client.send(sendOf(randomUUID()), context());
    expect(heard).toHaveLength(1);
  });
});
