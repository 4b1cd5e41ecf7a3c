import { AppError } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import { within } from '@bluewave/runtime/deadline';
import { isMessage, type MessageEntry } from '../events/present-message.ts';
import type { LogEntry, MessageKind } from '../log/entry.ts';
import { keyOf } from '../reading/hydrate.ts';
import { requireMembership } from '../reading/conversation-views.ts';
import type { Address, ReadStore } from '../reading/read-store.ts';
import { foldText } from './fold-text.ts';
import { type Highlight, highlightsOf } from './highlights.ts';
import { positionAt, positionOf, timeOfCursor } from './position.ts';
import { type SearchIndex, scopesTogether } from './search-index.ts';
import { matches, parseQuery, patternOf } from './search-query.ts';
import {
  inPieces,
  longSources,
  shortSource,
  type Source,
  type SourceDeps,
  type Step,
  tailSource,
  type Wanted,
} from './sources.ts';

/** Times in milliseconds since the epoch: younger than `after`, older than `before`. */
export type SearchFilter = {
  conversationId?: string;
  senderId?: string;
  kind?: MessageKind;
  before?: number;
  after?: number;
};

export type SearchRequest = {
  userId: string;
  text: string;
  filter: SearchFilter;
  limit: number;
  /** From an earlier page; empty for none. */
  cursor: string;
  /** Milliseconds since the epoch. */
  deadline: number;
};

export type FoundMessage = { entry: MessageEntry; highlights: Highlight[] };
/** Newest first. With a cursor there may be more, without one there is not. */
export type SearchPage = { found: FoundMessage[]; nextCursor: string };

export type SearchDeps = {
  reads: ReadStore;
  index: SearchIndex;
  clock: Clock;
  /** Whether something was rejected because its time was up. */
  isOutOfTime(rejection: unknown): boolean;
};

/** Left for what comes after the search: who is still a member, and the way back. */
const reserveMs = 300;
/** Conversations that are looked into first: the page of common words is found in the few that are youngest. */
const firstScopes = 40;
const secondScopes = 200;
/** The chunks of a conversation with more entries are read newest first. */
const shortEntries = 1_024;
/** Messages that are read at once: few at first, since most pages are soon full. */
const firstRead = 64;
const mostRead = 512;

/**
 * A page of the messages that a user may read and that match. When the deadline is near, what was found for certain is
 * answered with a cursor to go on from. @throws NOT_FOUND when the conversation to search is not the user's.
 */
export async function searchMessages(deps: SearchDeps, request: SearchRequest): Promise<SearchPage> {
  const query = parseQuery(request.text);
  const cursorAt = timeOfCursor(request.cursor);
  if (query.terms.length === 0) return { found: [], nextCursor: '' };
  const { after, before } = request.filter;
  const to = Math.min(cursorAt, before === undefined ? cursorAt : before - 1);
  const wanted: Wanted = {
    terms: query.terms,
    from: after === undefined ? 0 : after + 1,
    to,
    maxMs: () => Math.max(1, request.deadline - reserveMs - deps.clock()),
  };
  if (wanted.from > to) return { found: [], nextCursor: '' };
  const patterns = query.terms.map(patternOf);
  const sources = await sourcesOf(deps, request, wanted);
  const isWanted = wantedBy(request.filter, wanted, patterns);
  const { found, nextCursor } = await collect(deps, sources, request, wanted, isWanted);
  const own = await onlyOwn(deps.reads, request.userId, found);
  return { found: own.map((entry) => ({ entry, highlights: highlightsOf(entry.body.text, patterns) })), nextCursor };
}

/** All that a reader may find, as of now. */
async function sourcesOf(deps: SearchDeps, request: SearchRequest, wanted: Wanted): Promise<Source[]> {
  const { conversationId } = request.filter;
  if (conversationId !== undefined) await requireMembership(deps.reads, conversationId, request.userId);
  const rows = await deps.reads.overview(request.userId, conversationId);
  const sourceDeps: SourceDeps = { ...deps, messagesAt: gather(deps.reads) };
  const covered = rows.filter(({ coveredTo, firstSeq }) => coveredTo >= firstSeq);
  covered.sort((a, b) => b.coveredAt - a.coveredAt);
  const short = covered.filter(({ coveredTo }) => coveredTo <= shortEntries);
  const long = covered.filter(({ coveredTo }) => coveredTo > shortEntries);
  const [first, second] = [short.slice(0, firstScopes), short.slice(firstScopes, secondScopes)];
  const pieces = [first, second, ...inPieces(short.slice(secondScopes), scopesTogether)];
  const sources = longSources(sourceDeps, long, wanted);
  for (const some of pieces) if (some.length > 0) sources.push(shortSource(sourceDeps, some, wanted));
  for (const { conversationId: id, coveredTo, firstSeq, goesOn } of rows) {
    if (goesOn) sources.push(tailSource(sourceDeps, id, Math.max(coveredTo, firstSeq - 1), wanted));
  }
  return sources;
}

type Collected = { found: MessageEntry[]; nextCursor: string };

/**
 * Reads the youngest sources first, until none can hold a message that belongs on the page or the time is up. A source
 * that does not answer in time stays open: what is as young as it may be is not certain.
 */
async function collect(
  deps: SearchDeps,
  sources: Source[],
  request: SearchRequest,
  wanted: Wanted,
  isWanted: (entry: MessageEntry) => boolean,
): Promise<Collected> {
  const { limit, cursor, deadline } = request;
  const found = new Map<string, MessageEntry>();
  let best: string[] = [];
  let open = sources;
  let isLate = false;
  const newest = Math.max(...sources.map(({ bound }) => bound));
  for (let budget = firstRead; ; budget = Math.min(budget * 2, mostRead)) {
    // One more than the page holds, to know whether there is more.
    const last = best[limit];
    const threshold = last === undefined ? wanted.from : timeOfCursor(last);
    open = open.filter(({ bound }) => bound >= threshold).sort((a, b) => b.bound - a.bound);
    const youngest = open[0]?.bound;
    isLate ||= deps.clock() > deadline - reserveMs;
    if (youngest === undefined || isLate) return pageOf(found, best, limit, { youngest, newest });
    const now = takeUpTo(open, budget);
    const steps = await stepAll(deps, now, wanted.maxMs());
    isLate = steps.some((step) => step.isLate);
    open = [...open.slice(now.length), ...steps.flatMap((step) => step.sources)];
    for (const entry of steps.flatMap((step) => step.messages)) {
      const position = positionOf(entry);
      const isAhead = cursor === '' || position < cursor;
      if (isAhead && isMessage(entry) && isWanted(entry)) found.set(position, entry);
    }
    best = [...found.keys()]
      .sort()
      .reverse()
      .slice(0, limit + 1);
  }
}

type TimedStep = Step & { isLate: boolean };

/** A step of each source; of one whose time is up, nothing but the source itself. */
async function stepAll({ isOutOfTime }: SearchDeps, sources: Source[], maxMs: number): Promise<TimedStep[]> {
  const take = async (source: Source): Promise<TimedStep> => {
    try {
      return { ...(await within(maxMs, 'The search', source.step())), isLate: false };
    } catch (error) {
      if (isOutOfTime(error)) return { messages: [], sources: [source], isLate: true };
      throw error;
    }
  };
  return Promise.all(sources.map(take));
}

/** The first sources that cost no more than the budget, at least one. */
function takeUpTo(sources: Source[], budget: number): Source[] {
  let left = budget;
  const count = sources.findIndex(({ cost }, index) => (left -= cost) < 0 && index > 0);
  return count < 0 ? sources : sources.slice(0, count);
}

/**
 * @param bounds what was not read is no younger than `youngest`, undefined when nothing is left to read that matters;
 *   before anything was read, that was `newest`.
 * @throws DEADLINE_EXCEEDED when that is not even a beginning.
 */
function pageOf(
  found: Map<string, MessageEntry>,
  best: string[],
  limit: number,
  { youngest, newest }: { youngest: number | undefined; newest: number },
): Collected {
  const certain = youngest === undefined ? best : best.filter((position) => timeOfCursor(position) > youngest);
  const page = certain.slice(0, limit);
  const entries = page.map((position) => found.get(position) as MessageEntry);
  if (certain.length > limit) return { found: entries, nextCursor: page.at(-1) ?? '' };
  if (youngest === undefined) return { found: entries, nextCursor: '' };
  if (youngest >= newest) throw new AppError('DEADLINE_EXCEEDED', 'The search took too long. Try again.');
  return { found: entries, nextCursor: positionAt(youngest) };
}

/** Of a search by a filter: what a message must be beside what it must say. */
function wantedBy({ senderId, kind }: SearchFilter, { from, to }: Wanted, patterns: string[]) {
  return ({ senderId: sender, at, body }: MessageEntry): boolean =>
    at >= from &&
    at <= to &&
    body.deletedAt === null &&
    (senderId === undefined || sender === senderId) &&
    (kind === undefined || body.kind === kind) &&
    matches(foldText(body.text), patterns);
}

/** Asked last: then nothing of a page is younger than an acknowledged removal of the reader. */
async function onlyOwn(reads: ReadStore, userId: string, entries: MessageEntry[]): Promise<MessageEntry[]> {
  if (entries.length === 0) return [];
  const stillIn = await reads.memberOf(userId, [...new Set(entries.map(({ conversationId }) => conversationId))]);
  return entries.filter(({ conversationId, seq }) => seq >= (stillIn.get(conversationId) ?? Number.POSITIVE_INFINITY));
}

/** Reads what is asked for in one turn with one query. */
function gather(reads: ReadStore): SourceDeps['messagesAt'] {
  let asked: Address[] = [];
  let answer: Promise<Map<string, LogEntry>> | undefined;
  return async (addresses) => {
    asked.push(...addresses);
    answer ??= Promise.resolve().then(async () => {
      const all = asked;
      [asked, answer] = [[], undefined];
      return new Map((await reads.entriesAt(all)).map((entry) => [keyOf(entry), entry]));
    });
    const found = await answer;
    return addresses.flatMap((address) => found.get(keyOf(address)) ?? []);
  };
}
