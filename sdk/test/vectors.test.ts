import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createOutboxCore, createSyncCore, type SyncEffect } from '@bluewave/sdk';
import { applyEntries, type HeldMessages } from '../src/views/reduce-messages.ts';
import { aMessage } from './support/objects.ts';

type WireEntry = {
  conversationId: string;
  seq: number;
  type: string;
  message?: { seq?: number; text: string; editedAt?: string; deletedAt?: string };
  messageSeq?: number;
};
type View = { id: string; head: number };
type Effect = SyncEffect<WireEntry, View>;
type Shown = { seq: number; text: string; edited: boolean; deleted: boolean };
type Step<C extends { handle(input: never): unknown[] }> = { input: Parameters<C['handle']>[0]; effects: unknown[] };

type SyncVector = {
  name: string;
  start: { window?: number; have?: Record<string, number> };
  steps: Step<ReturnType<typeof createSyncCore<WireEntry, View>>>[];
  have: Record<string, number>;
  messages?: Record<string, Shown[]>;
};
type Item = { id: string; conversationId: string; kind: string; target?: string };
type OutboxVector = {
  name: string;
  start: { items: Item[] };
  steps: Step<ReturnType<typeof createOutboxCore<Item, unknown>>>[];
};
type VectorFile = { format: 1 } & (
  { core: 'sync'; vectors: SyncVector[] } | { core: 'outbox'; vectors: OutboxVector[] }
);

const folder = new URL('../vectors/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
const readVectors = (name: string): VectorFile => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as VectorFile;

/** What a vector says of an effect. */
function inBrief(effect: Effect): unknown {
  if (effect.type === 'view') return { type: 'view', conversationId: effect.conversation.id };
  if (effect.type !== 'apply') return effect;
  const { conversationId, seq } = effect.entry;
  return { type: 'apply', conversationId, seq, live: effect.live };
}

function reduce(held: HeldMessages, { conversationId, seq, type, message, messageSeq }: WireEntry): HeldMessages {
  const base = { conversationId, seq, actor: 'u1', at: '2026-01-31T12:00:00.000Z' };
  const whole = aMessage({ conversationId, seq, ...message });
  switch (type) {
    case 'message:new':
    case 'message:edited':
      return applyEntries(held, [{ entry: { ...base, type, message: whole }, asOf: seq }], 'me');
    case 'message:deleted':
      return applyEntries(
        held,
        [{ entry: { ...base, type, messageId: `${conversationId}:${messageSeq}` }, asOf: seq }],
        'me',
      );
    default:
      throw new Error(`vectors have no entries of type ${type}`);
  }
}

function show(held: HeldMessages): Shown[] {
  return held.map(({ message: { seq, text, editedAt, deletedAt } }) => ({
    seq,
    text,
    edited: editedAt !== undefined,
    deleted: deletedAt !== undefined,
  }));
}

function assertSync({ start, steps, have, messages }: SyncVector): void {
  const core = createSyncCore<WireEntry, View>({ window: start.window ?? 200, have: Object.entries(start.have ?? {}) });
  const held = new Map<string, HeldMessages>();
  for (const { input, effects } of steps) {
    const done = core.handle(input);
    expect({ input, effects: done.map(inBrief) }).toEqual({ input, effects });
    if (!messages) continue;
    for (const effect of done) {
      if (effect.type !== 'apply') continue;
      const { conversationId } = effect.entry;
      held.set(conversationId, reduce(held.get(conversationId) ?? [], effect.entry));
    }
  }
  expect(core.heads()).toEqual(have);
  for (const [id, expected] of Object.entries(messages ?? {})) expect(show(held.get(id) ?? [])).toEqual(expected);
}

function assertOutbox({ start, steps }: OutboxVector): void {
  const core = createOutboxCore<Item, unknown>(start.items);
  for (const { input, effects } of steps) {
    expect({ input, effects: core.handle(input) }).toEqual({ input, effects });
  }
}

describe('the vectors that every client must pass', () => {
  it('given the folder, when it is listed, then every file is described', () => {
    const readme = readFileSync(new URL('README.md', folder), 'utf8');
    expect(names.filter((name) => !readme.includes(name.replace('.json', '')))).toEqual([]);
    expect(names.length).toBeGreaterThanOrEqual(9);
  });

  for (const name of names) {
    const file = readVectors(name);
    if (file.core === 'sync') {
      for (const vector of file.vectors) {
        it(`given ${name}, when "${vector.name}" happens, then the device does what it says`, () => assertSync(vector));
      }
    } else {
      for (const vector of file.vectors) {
        it(`given ${name}, when "${vector.name}" happens, then the outbox does what it says`, () =>
          assertOutbox(vector));
      }
    }
  }
});
