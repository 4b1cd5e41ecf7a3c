/** How much one user may send to one room, and for how long who sends more is muted there. */
export type RoomLimit = { max: number; windowMs: number; muteMs: number };

/**
 * What is known of a user in a room: when which messages were taken, and the end of a mute. Ids are remembered for a
 * window and a mute, so that the repeat of a message is not another one.
 */
export type RoomState = { takings: readonly { id: string; at: number }[]; mutedUntil: number };

export type RoomVerdict = {
  allowed: boolean;
  /** Messages left now. */
  remaining: number;
  /** End of the mute, milliseconds since the epoch; 0 when there is none. */
  mutedUntil: number;
  /** The mute begins with this. */
  isNewMute: boolean;
};

/** How long ids are remembered. */
export function rememberedMs({ windowMs, muteMs }: RoomLimit): number {
  return windowMs + muteMs;
}

/** Takes one message at `now` (milliseconds): the form of the Redis script for one process alone. */
export function takeFromRoom(
  limit: RoomLimit,
  state: RoomState | undefined,
  id: string,
  now: number,
): { state: RoomState; verdict: RoomVerdict } {
  const takings = (state?.takings ?? []).filter(({ at }) => at > now - rememberedMs(limit));
  const mutedUntil = state?.mutedUntil ?? 0;
  const left = Math.max(0, limit.max - takings.filter(({ at }) => at > now - limit.windowMs).length);
  const allow = (remaining: number) => ({ allowed: true, remaining, mutedUntil: 0, isNewMute: false });
  if (takings.some((taking) => taking.id === id)) return { state: { takings, mutedUntil }, verdict: allow(left) };
  if (mutedUntil <= now && left > 0) {
    return { state: { takings: [...takings, { id, at: now }], mutedUntil: 0 }, verdict: allow(left - 1) };
  }
  const isNewMute = mutedUntil <= now;
  const until = isNewMute ? now + limit.muteMs : mutedUntil;
  const verdict = { allowed: false, remaining: 0, mutedUntil: until, isNewMute };
  return { state: { takings, mutedUntil: until }, verdict };
}
