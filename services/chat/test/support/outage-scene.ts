import { randomUUID } from 'node:crypto';
import { entryCommitted, userEvent } from '@bluewave/events/codec';
import { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import { connectMongo } from '@bluewave/mongo/connect';
import { type RunningChat, startChat } from '../../src/server.ts';
import { chatCollections, type ChatCollections } from '../../src/storage/collections.ts';
import { eventually } from './chat-under-test.ts';
import { environmentOf, testConfig, testLog } from './environment.ts';
import { Replica, type Sent } from './replica.ts';
import { TcpProxy } from '@bluewave/dev-env/net/tcp-proxy';

/** One chat process with one conversation, whose database and bus can be taken away from it alone. */
export type OutageScene = {
  mongo: TcpProxy;
  nats: TcpProxy;
  chat: RunningChat;
  replica: Replica;
  owner: string;
  conversationId: string;
  collections: ChatCollections;
  /** Seqs that were heard on the bus. */
  heard: Set<number>;
  /** Not a member. */
  outsider: string;
  /** As of which seq the outsider's own subject said that they became a member. */
  outsiderAdded: Set<number>;
  send(text?: string, clientMsgId?: string): Promise<Sent>;
  hears(...seqs: number[]): Promise<true>;
  /** Another process on the same database, with a way of its own to it. */
  another(): Promise<RunningChat>;
  close(): Promise<void>;
};

const timings = { leaseMs: 4_000, renewMs: 200, recoveryMs: 500 };

export async function openOutageScene(): Promise<OutageScene> {
  const [mongodbUrl, natsUrl] = [environmentOf('TEST_MONGODB_URL'), environmentOf('TEST_NATS_URL')];
  const [mongo, nats] = await Promise.all([TcpProxy.start(mongodbUrl), TcpProxy.start(natsUrl)]);
  const config = testConfig({
    mongodbUrl: `mongodb://127.0.0.1:${mongo.port}/?directConnection=true`,
    natsUrl: nats.url,
  });
  const chat = await atLast(() => startChat(config, testLog, { timings }));
  const replica = new Replica(chat.grpcPort);
  const owner = randomUUID();
  const conversationId = await replica.group(owner, randomUUID());
  const heard = new Set<number>();
  const bus = new EventBus({ url: natsUrl, name: 'chat-outages', log: testLog });
  bus.subscribe(subjects.entry(conversationId), ({ data }) => {
    heard.add(entryCommitted.decode(data).entry?.seq ?? 0);
  });
  const outsider = randomUUID();
  const outsiderAdded = new Set<number>();
  bus.subscribe(subjects.user(outsider), ({ data }) => {
    const { conversationAdded } = userEvent.decode(data);
    if (conversationAdded) outsiderAdded.add(conversationAdded.seq);
  });
  await (await bus.connection()).flush();
  const { mongodbDatabase: database } = config;
  const connection = await atLast(() =>
    connectMongo({ url: mongodbUrl, database, appName: 'chat-test', log: testLog }),
  );
  return {
    ...{ mongo, nats, chat, replica, owner, conversationId, heard, outsider, outsiderAdded },
    collections: chatCollections(connection),
    send: (text = 'hello', clientMsgId = randomUUID()) =>
      replica.send({ actorId: owner, conversationId, text, clientMsgId }),
    hears: (...seqs) => eventually(async () => (seqs.every((seq) => heard.has(seq)) ? true : undefined), 15_000),
    another: () => atLast(() => startChat(testConfig({ mongodbDatabase: database }), testLog, { timings })),
    async close() {
      replica.close();
      await chat.close();
      await Promise.all([bus.close(), mongo.close(), nats.close()]);
      await connection.dropDatabase();
      await connection.close();
    },
  };
}

/**
 * Several scenes begin at once: on a busy machine the indexes of all of them take longer than a start waits for. A
 * service tries again then, as this does.
 */
async function atLast<T>(start: () => Promise<T>): Promise<T> {
  for (let left = 4; ; left--) {
    try {
      return await start();
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}
