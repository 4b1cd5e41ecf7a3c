import { type ConversationView, countedAtOnce } from './conversation-views.ts';
import { type Head, type Listed, mostUnread, type Overview, type ReadStore, type Window } from './read-store.ts';

/** With more conversations than this whose head is not known beforehand, all heads are read. */
const mostMoving = 100;

/** Entries that are looked at before the end of a log, since not every entry is a message. */
const lookedBack = 5;
/** Entries after what is indexed: seldom more. */
const likelyTail = 32;
/** To look at more entries than these costs more than to look up the few things that are shown. */
const mostInWindow = 128;

/** A conversation's place in the list is that of its head; of one whose log goes on it is not known yet. */
type Moving = { overview: Overview };
type Settled = Moving & { head: Head };

/**
 * A page of a user's conversations, last activity first. The cursor is where the last page ended. Three queries: where
 * each conversation stands, what is shown of those on the page, and whether the user is a member of them still, which is asked last
 * so that nothing shown is younger than an acknowledged removal.
 */
export async function listViews(
  store: ReadStore,
  userId: string,
  limit: number,
  cursor: string,
): Promise<{ views: ConversationView[]; nextCursor: string }> {
  const { settled: all, moving } = await placesOf(store, userId);
  const isAhead = (position: string): boolean => cursor === '' || position < cursor;
  // All the positions of a thousand conversations are written out only to find where a page goes on.
  const settled = cursor === '' ? all : all.filter(({ head }) => isAhead(positionOf(head)));
  settled.sort(newestFirst);
  const shown = settled.slice(0, limit + 1);
  const listed = await details(store, userId, [...shown, ...moving]);
  const positions = new Map(shown.map(({ head }) => [head.conversationId, positionOf(head)]));
  // What was not looked at comes after this.
  const last = shown.at(-1);
  const end = last && settled.length > shown.length ? positionOf(last.head) : '';
  const ordered = listed
    .map((one) => ({ one, position: positions.get(one.head.conversationId) ?? positionOf(one.head) }))
    .filter(({ position }) => isAhead(position) && position >= end)
    .sort((a, b) => (a.position < b.position ? 1 : -1));
  const page = ordered.slice(0, limit);
  const stillIn = await store.memberOf(
    userId,
    page.map(({ one }) => one.head.conversationId),
  );
  return {
    views: page
      .filter(({ one }) => stillIn.has(one.head.conversationId))
      .map(({ one }) => ({ ...one, head: one.head.seq })),
    nextCursor: ordered.length > limit ? (page.at(-1)?.position ?? '') : end,
  };
}

/** A log without an entry after what is indexed ends there: so one look says where nearly all conversations stand. */
async function placesOf(store: ReadStore, userId: string): Promise<{ settled: Settled[]; moving: Moving[] }> {
  const overviews = await store.overview(userId);
  const moving = overviews.filter(({ goesOn }) => goesOn);
  const heads = moving.length > mostMoving ? await store.headsOf(userId) : [];
  const known = new Map(heads.map((head) => [head.conversationId, head]));
  const [settled, unplaced]: [Settled[], Moving[]] = [[], []];
  for (const overview of overviews) {
    const { conversationId, coveredTo, coveredAt, goesOn } = overview;
    const head = goesOn ? known.get(conversationId) : { conversationId, seq: coveredTo, at: coveredAt };
    if (head) settled.push({ overview, head });
    else unplaced.push({ overview });
  }
  return { settled, moving: unplaced };
}

/** What is shown of conversations: mostly the last few entries of each say it all, and one query reads them. */
async function details(store: ReadStore, userId: string, placed: Moving[]): Promise<Listed[]> {
  const near = placed.filter(({ overview }) => isNear(windowOf(overview)));
  const far = placed.filter(({ overview }) => !isNear(windowOf(overview)));
  const found = await store.listedWithin(
    userId,
    near.map(({ overview }) => windowOf(overview)),
  );
  const clear = new Map(found.map((one) => [one.head.conversationId, one]));
  for (const { overview } of near) {
    const one = clear.get(overview.conversationId);
    if (one && !isClear(one, overview)) clear.delete(overview.conversationId);
  }
  const unclear = near.filter(({ overview }) => !clear.has(overview.conversationId));
  return [...clear.values(), ...(await manyDetails(store, userId, [...far, ...unclear]))];
}

/** From where the member has not read, or some entries before, to what is known to be the end or is likely after it. */
function windowOf({ conversationId, firstSeq, coveredTo, readSeq, goesOn }: Overview): Window {
  const after = Math.max(firstSeq - 1, Math.min(readSeq, coveredTo - lookedBack));
  return { conversationId, after, upTo: goesOn ? coveredTo + likelyTail : coveredTo };
}

const isNear = ({ after, upTo }: Window): boolean => upTo - after <= mostInWindow;

/** Whether the window reached the end of the log, and showed the last message if there is any. */
function isClear({ head, lastMessage }: Listed, overview: Overview): boolean {
  const { after, upTo } = windowOf(overview);
  const isEnd = !overview.goesOn || head.seq < upTo;
  return isEnd && (lastMessage !== null || after < overview.firstSeq);
}

/** In as many queries as it takes to count what is unread in time. */
async function manyDetails(store: ReadStore, userId: string, placed: Moving[]): Promise<Listed[]> {
  const queries: string[][] = [];
  let room = 0;
  for (const { overview } of placed) {
    const { conversationId, coveredTo, readSeq } = overview;
    const cost = Math.min(Math.max(coveredTo - readSeq, 0), mostUnread);
    if (queries.length === 0 || cost > room) {
      queries.push([]);
      room = countedAtOnce;
    }
    queries.at(-1)?.push(conversationId);
    room -= cost;
  }
  return (await Promise.all(queries.map((ids) => store.listed(userId, ids)))).flat();
}

/** As positions sort, the last one first. */
function newestFirst({ head: a }: Settled, { head: b }: Settled): number {
  return b.at - a.at || (a.conversationId < b.conversationId ? 1 : -1);
}

/** Sorts by time, then by id; also the cursor. */
function positionOf(head: Head): string {
  return `${head.at.toString().padStart(15, '0')}.${head.conversationId}`;
}
