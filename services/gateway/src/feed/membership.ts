import type { Entry } from '@bluewave/api/objects';

/**
 * A user's place in a conversation here. `waiting`: the feed has yet to come to where their entries begin. `joining`:
 * what the feed is past is being brought to them. `joined`: their sockets are in its room. `left`: no more.
 */
export type Membership = {
  state: 'waiting' | 'joining' | 'joined' | 'left';
  /** They are told entries after this seq. */
  readonly after: number;
  /** The entry that added them, where it is known. */
  readonly addedAt: number | undefined;
  /** They were added again by this entry; the feed has yet to come to their removal before it. */
  againAt: number | undefined;
  /** They are members as of this seq, as a list said: also when the feed comes to a removal before it. */
  listedAt: number;
  /** Their sockets were told of the conversation. */
  announced: boolean;
  /** That entry, when the feed had it at hand. */
  first: Entry | undefined;
};

/** The seq after which somebody is told of entries, and the one that added them with what it is, where that is known. */
export type Admission = { after: number; addedAt?: number | undefined; first?: Entry | undefined };

/** A membership that begins as an admission says. */
export function newMembership({ after, addedAt, first }: Admission): Membership {
  return { state: 'waiting', after, addedAt, againAt: undefined, listedAt: after, announced: false, first };
}

/** Keeps what is heard of a membership that stands: how far it is sure, or that it will begin again. */
export function keepFor(known: Membership, { after, addedAt, first }: Admission): void {
  if (known.state !== 'joined') known.first ??= first;
  if (addedAt === undefined) known.listedAt = Math.max(known.listedAt, after);
  else if (addedAt > (known.againAt ?? known.addedAt ?? known.after)) known.againAt = addedAt;
}

/** What was kept of the time after a removal. */
export function admissionsAfter({ againAt, listedAt }: Membership, removedAt: number): Admission[] {
  const admissions: Admission[] = [];
  if (againAt !== undefined && againAt > removedAt) admissions.push({ after: againAt - 1, addedAt: againAt });
  if (listedAt > removedAt) admissions.push({ after: listedAt });
  return admissions;
}
