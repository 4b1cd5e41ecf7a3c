/** Heads that a client holds, by conversation. */
export type HeldHeads = Readonly<Record<string, number>>;

export type KnownConversation = { conversationId: string; head: number; movedAt: number };

/** A head that moved this recently may still be on its way to the client. */
const onItsWayMs = 1_000;
/** A client cannot tell of more conversations than this in one heartbeat, so none counts as missing. */
const maxTold = 1_000;

/**
 * Whether a client should sync: it is in another set of conversations than it believes, or one of them has moved on
 * without it.
 */
export function resyncNeeded(held: HeldHeads, known: readonly KnownConversation[], now: number): boolean {
  const ids = new Set(known.map(({ conversationId }) => conversationId));
  if (Object.keys(held).some((id) => !ids.has(id))) return true;
  return known.some(({ conversationId, head, movedAt }) => {
    const have = Object.hasOwn(held, conversationId) ? held[conversationId] : undefined;
    if (have === undefined) return known.length <= maxTold;
    return have < head && now - movedAt > onItsWayMs;
  });
}
