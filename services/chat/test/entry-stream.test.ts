import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PublishOutcome } from '@bluewave/events/acked-publisher';
import { entriesCommitted, entryCommitted } from '@bluewave/events/codec';
import { subjects } from '@bluewave/events/subjects';
import { EntryStream } from '../src/events/entry-stream.ts';

const conversationId = '6d5f0c2e-44a5-4c0e-8f0e-2f2b7a1c9d3e';
const encoded = (seq: number, traceId = 't') =>
  entryCommitted.encode({
    entry: { conversationId, seq, actorId: conversationId, atMs: 1 },
    traceId,
    recipientIds: [],
    recipientsKnown: true,
  });

type Sent = { subject: string; id: string | undefined; seqs: number[]; done(outcome: PublishOutcome): void };

/** Both ends of the bus, in memory: what left, and when it is acknowledged. */
function openBus() {
  const heard: number[] = [];
  const sent: Sent[] = [];
  const bus = {
    isUp: true,
    breaks: 0,
    publish: (_subject: string, data: Uint8Array): boolean => {
      if (bus.isUp) heard.push(entryCommitted.decode(data).entry?.seq ?? 0);
      return bus.isUp;
    },
  };
  const stream = {
    publish: (subject: string, id: string | undefined, data: Uint8Array, done: Sent['done']): void => {
      const seqs = entriesCommitted.decode(data).entries.map(({ entry }) => entry?.seq ?? 0);
      sent.push({ subject, id, seqs, done });
    },
    close: () => undefined,
  };
  return { heard, sent, bus, stream };
}

describe('the entries stream', () => {
  let at: ReturnType<typeof openBus>;
  let entries: EntryStream;
  const outcomes: [number, PublishOutcome][] = [];
  const publish = (seq: number, traceId?: string): void =>
    entries.publish(subjects.entry(conversationId), `${conversationId}:${seq}`, encoded(seq, traceId), (outcome) =>
      outcomes.push([seq, outcome]),
    );

  beforeEach(() => {
    jest.useFakeTimers();
    outcomes.length = 0;
    at = openBus();
    entries = new EntryStream(at);
  });
  afterEach(() => {
    entries.close();
    jest.useRealTimers();
  });

  it('given entries one after the other, when time passes, then gateways hear each at once and the stream all together', () => {
    for (const seq of [1, 2, 3]) publish(seq);
    expect({ heard: at.heard, sent: at.sent }).toEqual({ heard: [1, 2, 3], sent: [] });
    jest.advanceTimersByTime(10);
    expect(at.sent).toMatchObject([{ subject: subjects.entriesCommitted, id: undefined, seqs: [1, 2, 3] }]);
    expect(outcomes).toEqual([]);
    at.sent[0]?.done('acked');
    expect(outcomes).toEqual([1, 2, 3].map((seq) => [seq, 'acked']));
  });

  it('given an entry by itself, when it is published, then the stream knows a repeat by its id', () => {
    publish(7);
    jest.advanceTimersByTime(10);
    expect(at.sent).toMatchObject([{ id: `${conversationId}:7`, seqs: [7] }]);
  });

  it.each([
    ['many', 150, 't', [64, 64, 22]],
    ['large', 5, 'x'.repeat(100_000), [2, 2, 1]],
  ])(
    'given %s entries, when they are published, then no message outgrows its bounds',
    (_what, count, traceId, sizes) => {
      for (let seq = 1; seq <= count; seq += 1) publish(seq, traceId);
      jest.advanceTimersByTime(10);
      expect(at.sent.map(({ seqs }) => seqs.length)).toEqual(sizes);
      expect(at.sent.flatMap(({ seqs }) => seqs)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    },
  );

  it('given a bus that is away, when an entry is published, then it failed at once and is in no message', () => {
    publish(1);
    at.bus.isUp = false;
    publish(2);
    expect(outcomes).toEqual([[2, 'failed']]);
    jest.advanceTimersByTime(10);
    at.sent[0]?.done('failed');
    expect(at.sent.map(({ seqs }) => seqs)).toEqual([[1]]);
    expect(outcomes).toEqual([
      [2, 'failed'],
      [1, 'failed'],
    ]);
  });

  it.each([
    ['before anything else is published', []],
    ['and more is published', [3]],
  ])('given entries that were gathered, when the connection breaks %s, then they failed', (_what, later) => {
    publish(1);
    publish(2);
    at.bus.breaks += 1;
    for (const seq of later) publish(seq);
    jest.advanceTimersByTime(10);
    expect(at.sent.map(({ seqs }) => seqs)).toEqual(later.length > 0 ? [later] : []);
    expect(outcomes).toEqual([1, 2].map((seq) => [seq, 'failed']));
  });

  it('given entries that were gathered, when it closes, then they are published before', () => {
    publish(1);
    entries.close();
    expect(at.sent.map(({ seqs }) => seqs)).toEqual([[1]]);
  });
});
