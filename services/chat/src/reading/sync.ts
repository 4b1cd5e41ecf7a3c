import { skewMs } from '../log/clock-skew.ts';
import { type ConversationView, viewsOf } from './conversation-views.ts';
import { nothingHydrated } from './hydrate.ts';
import { cutPage, type LogPage, readLogPage } from './log-pages.ts';
import type { Head, Membership, ReadStore } from './read-store.ts';

export type SyncRequest = {
  userId: string;
  /** Conversation -> last seq held. */
  cursors: Record<string, number>;
  /** From an earlier answer; empty for none. */
  token: string;
  /** Entries for each conversation. */
  limit: number;
};

export type SyncResult = {
  conversations: (LogPage & { view: ConversationView })[];
  removed: string[];
  token: string;
};

/** Entries in one answer over all conversations, and bytes of their texts; the rest has `hasMore`. */
const answerEntries = 2_000;
const answerBytes = 3 * 1024 * 1024;
const parallelReads = 8;

/**
 * Everything that changed since the cursors. A conversation missing from them counts as 0, but with a token those
 * that did not move since it was given are left out. For a member who may not read the beginning, the log begins where
 * it does for them.
 */
export async function sync(store: ReadStore, request: SyncRequest, now: number): Promise<SyncResult> {
  const since = parseToken(request.token);
  const { memberships, heads } = await store.membershipsWithHeads(request.userId);
  const headOf = new Map(heads.map((head) => [head.conversationId, head]));
  const wanted = memberships.filter((membership) => isWanted(membership, headOf, request.cursors, since));
  const pages = await readPages(store, wanted, headOf, request);
  const views = await viewsOf(store, wanted, heads);
  const members = await membersAfter(store, request, memberships, wanted);
  return {
    conversations: views
      .filter(({ shared }) => members.has(shared.conversationId))
      .map((view) => ({ view, ...(pages.get(view.shared.conversationId) ?? nothingYet) })),
    removed: Object.keys(request.cursors).filter((id) => !members.has(id)),
    token: `t1.${now}`,
  };
}

/**
 * The conversations, of those asked for and those that are told, whose member the reader is. Looked at after what is
 * told was read, so that nothing of it is younger than an acknowledged removal of the reader; with nothing to tell, the
 * memberships that were read say it.
 */
async function membersAfter(
  store: ReadStore,
  { userId, cursors }: SyncRequest,
  memberships: Membership[],
  told: Membership[],
): Promise<{ has(conversationId: string): boolean }> {
  if (told.length === 0) return new Set(memberships.map(({ conversationId }) => conversationId));
  const asked = [...Object.keys(cursors), ...told.map(({ conversationId }) => conversationId)];
  return store.memberOf(userId, [...new Set(asked)]);
}

const nothingYet: LogPage = { entries: [], hydrated: nothingHydrated, hasMore: true };

function isWanted(
  { conversationId, changedAt }: Membership,
  heads: Map<string, Head>,
  cursors: Record<string, number>,
  since: number | null,
): boolean {
  const head = heads.get(conversationId);
  if (!head || since === null) return true;
  if (changedAt >= since - skewMs) return true;
  const cursor = cursors[conversationId];
  return cursor === undefined ? head.at >= since - skewMs : head.seq > cursor;
}

/** Pages within the answer's budget, those that are least behind first: most users want all of these. */
async function readPages(
  store: ReadStore,
  wanted: Membership[],
  heads: Map<string, Head>,
  request: SyncRequest,
): Promise<Map<string, LogPage>> {
  const pages = new Map<string, LogPage>();
  const behind = wanted
    .map(({ conversationId: id, firstSeq }) => {
      const after = Math.max(request.cursors[id] ?? 0, firstSeq - 1);
      return { id, after, head: heads.get(id)?.seq ?? 0 };
    })
    .sort((a, b) => a.head - a.after - (b.head - b.after));
  let budget = answerEntries;
  const read: typeof behind = [];
  for (const one of behind) {
    if (one.head <= one.after) pages.set(one.id, { ...nothingYet, hasMore: false });
    else if (budget > 0) {
      budget -= Math.min(one.head - one.after, request.limit);
      read.push(one);
    }
  }
  let room = answerBytes;
  for (let start = 0; start < read.length; start += parallelReads) {
    if (room <= 0) break;
    const some = read.slice(start, start + parallelReads);
    const found = await Promise.all(
      some.map(({ id, after }) => readLogPage(store, id, request.userId, after, request.limit)),
    );
    some.forEach(({ id }, index) => {
      const { page, bytes } = cutPage(found[index] as LogPage, room);
      pages.set(id, page);
      room -= bytes;
    });
  }
  return pages;
}

/** From when on changes are told again to who gives this token; null for none: then everything is. */
export function sinceOf(token: string): number | null {
  const time = parseToken(token);
  return time === null ? null : time - skewMs;
}

/** The time in a token; null for none, and for one that is not ours: then everything is told. */
function parseToken(token: string): number | null {
  const time = /^t1\.(\d{1,16})$/.exec(token)?.[1];
  return time === undefined ? null : Number(time);
}
