import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { conversationSignal, mediaUpdated } from '@bluewave/events/codec';
import { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import { listenToMedia } from '../src/events/media-listener.ts';
import { createMongoReadStore } from '../src/storage/mongo-read-store.ts';
import { type ChatUnderTest, eventually, startChatUnderTest } from './support/chat-under-test.ts';
import { environmentOf, testLog } from './support/environment.ts';

describe('news of an upload', () => {
  let chat: ChatUnderTest;
  const bus = new EventBus({ url: environmentOf('TEST_NATS_URL'), name: 'media-listener-test', log: testLog });
  beforeAll(async () => {
    chat = await startChatUnderTest();
    await bus.connection();
  }, 30_000);
  afterAll(async () => {
    await bus.close();
    await chat?.close();
  }, 30_000);

  it('given a message that is committed after the news of its picture, when it is there, then its members are told, once', async () => {
    const [owner, uploadId] = [randomUUID(), randomUUID()];
    const [replica] = chat.replicas;
    const conversationId = await replica.group(owner, randomUUID());
    const reads = createMongoReadStore(chat.collections);
    const looks: number[] = [];
    const conversationsShowing = async (id: string): Promise<string[]> => {
      const found = await reads.conversationsShowing(id);
      if (id === uploadId) looks.push(found.length);
      return found;
    };
    const told: string[] = [];
    const publish: EventBus['publish'] = (subject, data) => {
      told.push(`${subject} ${conversationSignal.decode(data).mediaUpdated?.uploadId}`);
      return bus.publish(subject, data);
    };
    // Without the group of chat's processes: those of other suites would take the news for theirs.
    const subscribe: EventBus['subscribe'] = (subject, hear) => bus.subscribe(subject, hear);
    const listener = listenToMedia({ subscribe, publish }, { conversationsShowing }, testLog);

    const file = { uploadId, kind: 'image', fileName: 'dot.png', contentType: 'image/png', size: 73 };
    const picture = { ...file, width: 2, height: 2, durationMs: 0, thumbhash: '' };
    const upload = { ...picture, ownerId: owner, status: 'ready', hasThumbnail: true, purpose: 'message' };
    bus.publish(subjects.mediaUpdated, mediaUpdated.encode({ upload }));
    await eventually(async () => looks[0]);
    const attachments = [{ ...picture, status: 'processing' }];
    await replica.send({ actorId: owner, conversationId, text: '', attachments });
    await eventually(async () => looks[2]);
    listener.close();

    expect([looks, told]).toEqual([[0, 1, 1], [`${subjects.signal(conversationId)} ${uploadId}`]]);
  }, 30_000);
});
