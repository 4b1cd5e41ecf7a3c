import type { LogEntry } from '../log/entry.ts';
import type { Address, ReadStore, SharedInfo } from './read-store.ts';

/** What is shown of entries beside themselves. Keys are `conversationId:seq`. */
export type Hydrated = {
  /** Messages that entries are about: those that were edited, and those that others answer. */
  targets: ReadonlyMap<string, LogEntry>;
  /** Conversations whose change is told. */
  shared: ReadonlyMap<string, SharedInfo>;
  /** The reader's own stars and emoji. */
  starred: ReadonlySet<string>;
  reacted: ReadonlyMap<string, ReadonlySet<string>>;
  /** First readable seq of the conversations that forwards came from and the reader is in. */
  openable: ReadonlyMap<string, number>;
};

export const nothingHydrated: Hydrated = {
  targets: new Map(),
  shared: new Map(),
  starred: new Set(),
  reacted: new Map(),
  openable: new Map(),
};

export function keyOf({ conversationId, seq }: Address): string {
  return `${conversationId}:${seq}`;
}

/** What is read for entries whoever sees them. */
export type SharedReads = Pick<ReadStore, 'entriesAt' | 'shared'>;

/** Reads what entries are shown with, to a reader; without one, only what is the same for all. */
export async function hydrate(
  store: ReadStore,
  entries: readonly LogEntry[],
  readerId: string | undefined,
): Promise<Hydrated> {
  const edited = await store.entriesAt(entries.flatMap(editedBy));
  const messages = [...entries, ...edited].filter(({ body }) => body.type === 'message:new');
  const [common, own] = await Promise.all([
    complete(store, entries, messages, edited),
    readerId === undefined ? nothingHydrated : ownOf(store, messages, readerId),
  ]);
  return { ...own, ...common };
}

/** Reads what an entry is shown with to everybody. */
export async function hydrateForAll(store: SharedReads, entry: LogEntry): Promise<Hydrated> {
  const edited = await store.entriesAt(editedBy(entry));
  return { ...nothingHydrated, ...(await complete(store, [entry], [entry, ...edited], edited)) };
}

async function complete(
  store: SharedReads,
  entries: readonly LogEntry[],
  messages: readonly LogEntry[],
  edited: readonly LogEntry[],
): Promise<Pick<Hydrated, 'targets' | 'shared'>> {
  const [answered, shared] = await Promise.all([
    store.entriesAt(messages.flatMap(answeredBy)),
    sharedOf(store, entries),
  ]);
  return { targets: new Map([...edited, ...answered].map((entry) => [keyOf(entry), entry])), shared };
}

function editedBy({ conversationId, body }: LogEntry): Address[] {
  return body.type === 'message:edited' ? [{ conversationId, seq: body.target }] : [];
}

/** The message that a message answers. */
function answeredBy({ conversationId, body }: LogEntry): Address[] {
  return body.type === 'message:new' && body.replyTo !== undefined ? [{ conversationId, seq: body.replyTo }] : [];
}

async function sharedOf(store: SharedReads, entries: readonly LogEntry[]): Promise<Map<string, SharedInfo>> {
  const changed = entries.flatMap(({ conversationId, body }) =>
    body.type === 'conversation:updated' ? [conversationId] : [],
  );
  return changed.length === 0 ? new Map<string, SharedInfo>() : store.shared([...new Set(changed)]);
}

/** What only the reader sees. */
async function ownOf(store: ReadStore, messages: readonly LogEntry[], readerId: string): Promise<Hydrated> {
  const reactedTo = messages.filter(
    ({ body }) => body.type === 'message:new' && (body.counts?.reactions.length ?? 0) > 0,
  );
  const sources = messages.flatMap(({ body }) =>
    body.type === 'message:new' && body.forwarded ? [body.forwarded.conversationId] : [],
  );
  const [starred, reacted, openable] = await Promise.all([
    store.starredOf(readerId, messages),
    store.reactionsOf(readerId, reactedTo),
    sources.length === 0 ? new Map<string, number>() : store.memberOf(readerId, [...new Set(sources)]),
  ]);
  return { ...nothingHydrated, starred, reacted, openable };
}
