import { skewMs } from '../log/clock-skew.ts';
import type { LogEntry } from '../log/entry.ts';
import type { Address, ReadStore } from '../reading/read-store.ts';
import {
  type CandidatePage,
  type CandidatePlace,
  type SearchIndex,
  type SearchScope,
  scopesAtOnce,
} from './search-index.ts';
import type { SearchTerm } from './search-query.ts';

/**
 * Something that messages come from, newest first. None of those it still holds is younger than `bound`; a source that
 * is exhausted is gone. `cost` is about the number of messages that a step reads.
 */
export type Source = { bound: number; cost: number; step(): Promise<Step> };
export type Step = { messages: LogEntry[]; sources: Source[] };

export type SourceDeps = {
  reads: Pick<ReadStore, 'messages' | 'entry'>;
  index: SearchIndex;
  /** Those of these messages that there are, in any order. */
  messagesAt(addresses: readonly Address[]): Promise<LogEntry[]>;
};

/** What is looked for: times are inclusive, `terms` at least one. */
export type Wanted = { terms: readonly SearchTerm[]; from: number; to: number; maxMs(): number };

const readAtOnce = 32;
const tailBlock = 128;
/** To look into one more conversation costs as much as to read this much of a message. */
const scopeCost = 1 / 4;
/** In a shorter tail, looking for a place costs more than reading on. */
const worthSeeking = 8 * tailBlock;

/** With the time of the youngest entry that is covered. */
export type CoveredScope = SearchScope & { coveredAt: number };

/**
 * What the index covers of short conversations, those that were active last first. To take all chunks of many conversations
 * costs the index a fraction of merging them by time.
 */
export function shortSource(deps: SourceDeps, scopes: CoveredScope[], wanted: Wanted): Source {
  const { terms, from, to } = wanted;
  return {
    bound: Math.min(youngestOf(scopes), to),
    cost: costOf(scopes),
    async step() {
      const request = { scopes, terms, from, to, order: 'none', place: null, maxMs: wanted.maxMs() } as const;
      const page = await deps.index.candidates(request);
      return { messages: [], sources: page ? chunkSources(deps, page, to) : longSources(deps, scopes, wanted) };
    },
  };
}

/** What the index covers of conversations, those that were active last first: the newest chunks first. */
export function longSources(deps: SourceDeps, scopes: CoveredScope[], wanted: Wanted): Source[] {
  return inPieces(scopes, scopesAtOnce).map((some) => candidateSource(deps, some, wanted, youngestOf(some), null));
}

function candidateSource(
  deps: SourceDeps,
  scopes: CoveredScope[],
  wanted: Wanted,
  youngest: number,
  place: CandidatePlace | null,
): Source {
  const { terms, from, to } = wanted;
  return {
    bound: Math.min(youngest, to),
    cost: costOf(scopes),
    async step() {
      const request = { scopes, terms, from, to, order: 'newest', place, maxMs: wanted.maxMs() } as const;
      const page = await deps.index.candidates(request);
      const next = page?.next;
      const rest = next ? [candidateSource(deps, scopes, wanted, Math.min(youngest, next.below), next)] : [];
      return { messages: [], sources: [...chunkSources(deps, page, to), ...rest] };
    },
  };
}

const youngestOf = (scopes: CoveredScope[]): number => (scopes[0]?.coveredAt ?? 0) + skewMs;
const costOf = ({ length }: CoveredScope[]): number => readAtOnce / 4 + Math.min(length, scopesAtOnce) * scopeCost;

export function inPieces<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

function chunkSources(deps: SourceDeps, page: CandidatePage | null, to: number): Source[] {
  const chunks = page?.chunks ?? [];
  return chunks.map(({ conversationId, seqs, newestAt }) =>
    chunkSource(deps, conversationId, seqs, Math.min(newestAt, to)),
  );
}

/** Messages of a conversation by seq, descending. */
function chunkSource(deps: SourceDeps, conversationId: string, seqs: number[], bound: number): Source {
  const [now, later] = [seqs.slice(0, readAtOnce), seqs.slice(readAtOnce)];
  return {
    bound,
    cost: now.length,
    async step() {
      const messages = await deps.messagesAt(now.map((seq) => ({ conversationId, seq })));
      if (later.length === 0) return { messages, sources: [] };
      const next = Math.min(bound, oldestOf(messages) + skewMs);
      return { messages, sources: [chunkSource(deps, conversationId, later, next)] };
    },
  };
}

/** What the index does not cover of a conversation: the messages after a seq, read backwards from its end. */
export function tailSource(deps: SourceDeps, conversationId: string, after: number, { from, to }: Wanted): Source {
  return {
    bound: to,
    cost: tailBlock / 32,
    async step() {
      const end = Number.isFinite(to) ? await seek(deps, conversationId, after, to + skewMs) : Number.MAX_SAFE_INTEGER;
      return blockSource(deps, conversationId, { from: after, to: end }, { from, bound: to }).step();
    },
  };
}

type Range = { from: number; to: number };

function blockSource(
  deps: SourceDeps,
  conversationId: string,
  range: Range,
  times: { from: number; bound: number },
): Source {
  return {
    bound: times.bound,
    cost: tailBlock / 32,
    async step() {
      const messages = await deps.reads.messages(conversationId, range, false, tailBlock);
      const last = messages.at(-1);
      const bound = Math.min(times.bound, oldestOf(messages) + skewMs);
      if (!last || messages.length < tailBlock || bound < times.from) return { messages, sources: [] };
      const rest = blockSource(deps, conversationId, { ...range, to: last.seq }, { ...times, bound });
      return { messages, sources: [rest] };
    },
  };
}

/** A seq after which every entry is younger than a time, found by halving; the end of a log that is not long. */
async function seek({ reads }: SourceDeps, conversationId: string, after: number, at: number): Promise<number> {
  let [low, high] = [after, after + worthSeeking];
  // Outwards until the log ends or is too young, then inwards.
  for (let step = worthSeeking; (await timeOf(high)) <= at; step *= 2) [low, high] = [high, high + step];
  if (low === after) return Number.MAX_SAFE_INTEGER;
  while (high - low > tailBlock) {
    const middle = Math.floor((low + high) / 2);
    if ((await timeOf(middle)) <= at) low = middle;
    else high = middle;
  }
  return high;

  async function timeOf(seq: number): Promise<number> {
    return (await reads.entry(conversationId, seq))?.at ?? Number.POSITIVE_INFINITY;
  }
}

function oldestOf(messages: LogEntry[]): number {
  return messages.reduce((oldest, { at }) => Math.min(oldest, at), Number.POSITIVE_INFINITY);
}
