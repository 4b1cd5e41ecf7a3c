import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EntryBody, LogEntry, MessageBody } from '../src/log/entry.ts';
import { project } from '../src/log/projections.ts';
import { message, newEntry } from './support/entries.ts';
import { type LogStores, openMemoryStores, openMongoStores } from './support/log-stores.ts';
import { nth } from './support/nth.ts';

/** What somebody does; `at` picks a message among those there are. */
type Act =
  | { type: 'say'; thread: number | null; forward: boolean }
  | { type: 'edit'; at: number; text: string; mention: boolean }
  | { type: 'delete'; at: number }
  | { type: 'react'; at: number; who: number; emoji: string; on: boolean }
  | { type: 'pin'; at: number; on: boolean };

const people = [randomUUID(), randomUUID(), randomUUID()];
const place = fc.nat(20);
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ type: fc.constant('say' as const), thread: fc.option(place), forward: fc.boolean() }),
  fc.record({
    ...{ type: fc.constant('edit' as const), at: place, text: fc.constantFrom('a', '$b', '$$ROOT', '') },
    mention: fc.boolean(),
  }),
  fc.record({ type: fc.constant('delete' as const), at: place }),
  fc.record({
    ...{ type: fc.constant('react' as const), at: place, who: fc.nat(2), on: fc.boolean() },
    emoji: fc.constantFrom('👍', '🎉'),
  }),
  fc.record({ type: fc.constant('pin' as const), at: place, on: fc.boolean() }),
);

/** The entries of one conversation, which begins with two messages. */
function entriesOf(conversationId: string, acts: readonly Act[]): LogEntry[] {
  const entries: LogEntry[] = [];
  const messages: number[] = [];
  const write = (body: EntryBody, who = 0): void => {
    const seq = entries.length + 1;
    entries.push(newEntry(conversationId, seq, nth(people, who), body));
    if (body.type === 'message:new') messages.push(seq);
  };
  const pick = (at: number): number => nth(messages, at % messages.length);
  write(message('first'));
  write(message('second'));
  for (const one of acts) {
    if (one.type === 'say') {
      const said = message('said') as MessageBody;
      if (one.thread !== null) said.threadRoot = 1 + (one.thread % 2);
      if (one.forward) said.forwarded = { conversationId, seq: pick(one.thread ?? 0), hops: 1 };
      write(said);
    } else if (one.type === 'edit') {
      const { text, mention } = one;
      write({ type: 'message:edited', target: pick(one.at), text, ...(mention ? { mentions: [nth(people, 1)] } : {}) });
    } else if (one.type === 'delete') write({ type: 'message:deleted', target: pick(one.at) });
    else if (one.type === 'react') {
      write({ type: 'message:reaction', target: pick(one.at), emoji: one.emoji, on: one.on }, one.who);
    } else write({ type: 'message:pinned', target: pick(one.at), on: one.on });
  }
  return entries;
}

/** What a message is, as the log in the order of its seqs says: apart from any way of storing it. */
function foldOf(entries: readonly LogEntry[], seq: number) {
  const own = nth(entries, seq - 1).body as MessageBody;
  const of = <T extends EntryBody['type']>(type: T) =>
    entries.flatMap((entry) => {
      const body = entry.body as Extract<EntryBody, { type: T }> & { target?: number };
      return entry.body.type === type && body.target === seq ? [{ ...entry, body }] : [];
    });
  const isDeleted = (target: number) =>
    entries.some(({ body }) => body.type === 'message:deleted' && body.target === target);
  const [deletion] = of('message:deleted');
  const edits = of('message:edited');
  const last = deletion ? undefined : edits.at(-1);
  const shown = new Map<string, { emoji: string; seq: number }>();
  for (const { senderId, body, seq: at } of of('message:reaction')) {
    if (body.on) {
      const key = `${senderId} ${body.emoji}`;
      shown.set(key, { emoji: body.emoji, seq: at });
    } else shown.delete(`${senderId} ${body.emoji}`);
  }
  const byEmoji = new Map<string, number>();
  for (const { emoji } of [...shown.values()].sort((a, b) => a.seq - b.seq)) {
    byEmoji.set(emoji, (byEmoji.get(emoji) ?? 0) + 1);
  }
  const said = entries.filter(({ body }) => body.type === 'message:new');
  const replies = said.filter((one) => (one.body as MessageBody).threadRoot === seq && !isDeleted(one.seq));
  return {
    text: deletion ? '' : (last?.body.text ?? own.text),
    editedAt: last?.at ?? null,
    deletedAt: deletion?.at ?? null,
    mentions: last?.body.mentions ?? [],
    original: !deletion && edits.length > 0 ? own.text : '',
    edits: edits.map((edit) => edit.seq),
    pinned: !deletion && (of('message:pinned').at(-1)?.body.on ?? false),
    counts: {
      reactions: deletion ? [] : [...byEmoji].map(([emoji, count]) => ({ emoji, count })),
      replies: replies.length,
      lastReplySeq: replies.at(-1)?.seq ?? 0,
      forwards: said.filter((one) => (one.body as MessageBody).forwarded?.seq === seq).length,
    },
  };
}

/** The same of a message as it is stored. */
function storedOf({ body }: LogEntry) {
  const {
    text,
    editedAt,
    deletedAt,
    mentions = [],
    original = '',
    edits = [],
    pinned = false,
    counts,
  } = body as MessageBody;
  const none = { reactions: [], replies: 0, lastReplySeq: 0, forwards: 0 };
  const sorted = [...edits].sort((a, b) => a - b);
  return { text, editedAt, deletedAt, mentions, original, edits: sorted, pinned, counts: counts ?? none };
}

describe.each([
  ['memory', openMemoryStores, 200],
  ['MongoDB', openMongoStores, 25],
] as const)('given the projections of messages in %s', (_name, open, runs) => {
  let stores: LogStores;
  beforeAll(async () => void (stores = await open()));
  afterAll(() => stores.close());

  it('when every entry is projected twice, in any order and by two processes, then each message is what its log says', async () => {
    const history = fc.array(act, { minLength: 3, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(history, fc.infiniteStream(fc.nat(1_000)), fc.boolean(), async (acts, random, isParallel) => {
        const conversationId = randomUUID();
        const entries = entriesOf(conversationId, acts);
        expect(new Set(await stores.entries.insert(entries, true))).toEqual(new Set(['inserted']));
        const drawn = [...entries, ...entries].map((entry) => ({ entry, order: random.next().value ?? 0 }));
        const order = drawn.sort((a, b) => a.order - b.order).map(({ entry }) => entry);
        // Another process: the same database, nothing in common in memory.
        const processes = [stores.projections, stores.dyingProjections(1_000_000)];
        const work = order.map((entry, index) => () => project(nth(processes, index % 2), entry));
        if (isParallel) await Promise.all(work.map((one) => one()));
        else for (const one of work) await one();
        const stored = await stores.entries.readAfter(conversationId, 0, 1_000);
        for (const entry of stored) {
          if (entry.body.type !== 'message:new') continue;
          expect({ seq: entry.seq, ...storedOf(entry) }).toEqual({ seq: entry.seq, ...foldOf(entries, entry.seq) });
        }
        const texts = stored.flatMap(({ body }) =>
          body.type === 'message:edited' && foldOf(entries, body.target).deletedAt !== null ? [body.text] : [],
        );
        expect(texts.filter((text) => text !== '')).toEqual([]);
      }),
      { numRuns: runs },
    );
  }, 120_000);
});
