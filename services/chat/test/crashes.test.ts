import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppError } from '@bluewave/errors/app-error';
import { entriesCommitted } from '@bluewave/events/codec';
import { EventBus } from '@bluewave/events/event-bus';
import { streams } from '@bluewave/events/subjects';
import { WorkConsumer } from '@bluewave/events/work-consumer';
import { storeUuid } from '@bluewave/mongo/uuid';
import { applyEntry, emptyState } from '../src/log/conversation-state.ts';
import type { LogEntry } from '../src/log/entry.ts';
import { startChatProcess } from './support/chat-process.ts';
import { type ChatUnderTest, eventually, startChatUnderTest } from './support/chat-under-test.ts';
import { testLog } from './support/environment.ts';
import { nth } from './support/nth.ts';
import { Replica } from './support/replica.ts';

const timings = { leaseMs: 1_500, renewMs: 100, recoveryMs: 200 };
/** What was acknowledged: the seq and the id it was sent with. */
type Acknowledged = { conversationId: string; seq: number; clientMsgId: string };

let chat: ChatUnderTest;
let bus: EventBus;
let consumer: WorkConsumer;
/** Messages of the entries stream, by id. */
const published = new Set<string>();
const acknowledged: Acknowledged[] = [];
const conversations: { id: string; owner: string; friend: string }[] = [];

beforeAll(async () => {
  chat = await startChatUnderTest({ timings });
  bus = new EventBus({ url: chat.config.natsUrl, name: 'chat-crashes', log: testLog });
  consumer = new WorkConsumer({
    ...{ bus, stream: streams.entries, replicas: 1, durable: `chat-crashes-${randomUUID()}`, from: 'next' as const },
    ...{ concurrency: 200, ackWaitMs: 30_000, log: testLog },
    handle: async ({ data }) => {
      for (const { entry } of entriesCommitted.decode(data).entries) {
        published.add(`${entry?.conversationId}:${entry?.seq}`);
      }
      return { kind: 'done' };
    },
  });
  for (let index = 0; index < 4; index += 1) {
    const [owner, friend] = [randomUUID(), randomUUID()];
    conversations.push({ id: await chat.replicas[0].group(owner, friend), owner, friend });
  }
  // The stream is heard from some moment on: what was before is not asked for.
  await eventually(async () => {
    const { id, owner } = nth(conversations, 0);
    await orRetry(chat.replicas[0].send({ actorId: owner, conversationId: id, text: 'heard?' }));
    return published.size > 0 ? true : undefined;
  });
}, 60_000);
afterAll(async () => {
  await consumer.close();
  await bus.close();
  await chat.close();
});

/** @returns undefined when the call is to be tried again. */
async function orRetry<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof AppError && error.retryable) return undefined;
    throw error;
  }
}

/** Sends until it is acknowledged: first through a process that may die, then through one that lives. */
async function sendFor(victim: Replica, conversationId: string, actorId: string): Promise<void> {
  const one = { conversationId, actorId, text: randomUUID(), clientMsgId: randomUUID() };
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const replica = attempt === 0 ? victim : nth(chat.replicas, attempt % 2);
    const sent = await orRetry(replica.send(one));
    if (sent?.message) return void acknowledged.push({ ...one, seq: sent.message.seq });
  }
  throw new Error('never acknowledged');
}

/** Everything that writes, on one conversation, through a process that may die in the middle; what fails may fail. */
async function useVictim(victim: Replica, index: number): Promise<void> {
  const { id: conversationId, owner, friend } = nth(conversations, index % conversations.length);
  const may = (call: Promise<unknown>) =>
    call.catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
    });
  const own = acknowledged.findLast((one) => one.conversationId === conversationId)?.seq ?? 2;
  const address = { actorId: owner, conversationId, seq: own };
  const another = { type: 'group', name: 'another', description: '', idempotencyKey: randomUUID() };
  await Promise.all([0, 1, 2, 3].map(() => sendFor(victim, conversationId, owner)));
  await Promise.all([
    may(victim.call.EditMessage({ ...address, text: `edited ${randomUUID()}` })),
    may(victim.call.AddMembers({ actorId: owner, conversationId, userIds: [randomUUID()] })),
    may(victim.call.CreateConversation({ ...another, actorId: owner, userIds: [friend] })),
    sendFor(victim, conversationId, friend),
  ]);
  if (index % 3 === 0) await may(victim.call.DeleteMessage(address));
  await Promise.all([0, 1, 2, 3, 4, 5].map(() => sendFor(victim, conversationId, friend)));
}

async function wholeLog(): Promise<Map<string, LogEntry[]>> {
  const ids = await chat.collections.entries.distinct('c');
  const logs = await Promise.all(ids.map((c) => chat.log(c.toString())));
  return new Map(logs.map((log) => [nth(log, 0).conversationId, log]));
}

/** Each log is whole, nothing is in it twice, and what was acknowledged is there. */
function expectWholeLogs(logs: Map<string, LogEntry[]>): void {
  for (const log of logs.values()) {
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
    expect(new Set(log.map(({ senderId, clientMsgId }) => `${senderId}/${clientMsgId}`)).size).toBe(log.length);
  }
  const lost = acknowledged.filter(
    ({ conversationId, seq, clientMsgId }) => logs.get(conversationId)?.[seq - 1]?.clientMsgId !== clientMsgId,
  );
  expect(lost).toEqual([]);
}

/** What entries change beside themselves is changed, as any other process sees it. */
async function expectProjected(log: LogEntry[]): Promise<void> {
  const [replica] = chat.replicas;
  const state = emptyState(nth(log, 0).conversationId);
  for (const entry of log) applyEntry(state, entry);
  const actorId = nth(log, 0).senderId;
  const view = await replica.insist.GetConversation({ actorId, conversationId: state.id });
  expect(view.info).toMatchObject({ memberCount: state.members.size, head: state.head });
  const members = await chat.collections.members.find({ leftSeq: null, c: nthId(log) }).toArray();
  expect(members.map(({ u }) => u.toString()).sort()).toEqual([...state.members.keys()].sort());
  for (const { seq, body } of log) {
    if (body.type !== 'message:new') continue;
    const changes = log.filter((other) => 'target' in other.body && other.body.target === seq);
    const isDeleted = changes.some((other) => other.body.type === 'message:deleted');
    const edits = changes.flatMap((other) => (other.body.type === 'message:edited' ? [other.body.text] : []));
    expect([seq, body.deletedAt !== null]).toEqual([seq, isDeleted]);
    if (isDeleted) expect([seq, body.text, ...edits].join('')).toBe(`${seq}`);
    else if (edits.length > 0) expect(body.text).toBe(edits.at(-1));
  }
}

const nthId = (log: LogEntry[]) => storeUuid(nth(log, 0).conversationId);

/** Waits until the dead are buried, and then looks at everything. */
async function expectNothingLost(): Promise<void> {
  const alive = async () => ((await chat.collections.boots.countDocuments()) <= 2 ? true : undefined);
  await eventually(alive, 20_000);
  const logs = await wholeLog();
  expectWholeLogs(logs);
  const asked = [...logs.values()].flat().filter(({ at }) => at >= began);
  await eventually(async () => {
    const missing = asked.filter(({ conversationId, seq }) => !published.has(`${conversationId}:${seq}`));
    return missing.length === 0 ? true : undefined;
  }, 10_000);
  for (const log of logs.values()) await expectProjected(log);
}

let began = 0;

describe('given a chat process that is killed', () => {
  beforeAll(() => {
    began = Date.now();
  });

  it('when it dies around any of its accesses, then others finish what it left', async () => {
    const deaths = Array.from({ length: 9 }, (_, index) => ({
      access: 2 + index * 3,
      when: index % 2 ? ('before' as const) : ('after' as const),
    }));
    let died = 0;
    for (let start = 0; start < deaths.length; start += 3) {
      const wave = deaths.slice(start, start + 3).map(async (dieAt, index) => {
        const victim = await startChatProcess(chat.config, timings, dieAt);
        const replica = new Replica(victim.grpcPort);
        await useVictim(replica, start + index);
        replica.close();
        // At the latest it dies of a renewal.
        await victim.exited;
        died += 1;
      });
      await Promise.all(wave);
    }
    expect(died).toBe(deaths.length);
    await expectNothingLost();
  }, 180_000);

  it('when it dies at any moment under load, then others finish what it left', async () => {
    for (let round = 0; round < 3; round += 1) {
      const victim = await startChatProcess(chat.config, timings);
      const replica = new Replica(victim.grpcPort);
      const writing = Array.from({ length: 60 }, async (_, index) => {
        const { id, owner, friend } = nth(conversations, index % conversations.length);
        await new Promise((resolve) => setTimeout(resolve, index * 3));
        await sendFor(replica, id, index % 2 ? owner : friend);
      });
      const using = useVictim(replica, round);
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 200));
      await victim.kill();
      await Promise.all([...writing, using]);
      replica.close();
    }
    await expectNothingLost();
  }, 180_000);
});
