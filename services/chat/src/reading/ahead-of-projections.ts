import type { LogEntry, MessageBody } from '../log/entry.ts';
import type { SharedInfo } from './read-store.ts';

type Message = LogEntry & { body: MessageBody };
type Edit = LogEntry & { body: { type: 'message:edited' } };
type Change = LogEntry & { body: { type: 'conversation:updated' } };

/*
 * An entry can be read as soon as it is committed, a moment before what it changes is written beside the log. Whoever
 * read it then would be shown what was before it, and would keep that, since the entry is not told to them again.
 */

/** A message as of one of its edits, or as of a later edit or its deletion that is known of already. */
export function asOfEdit<M extends Message>(message: M, { seq, at, body }: Edit): M {
  if (message.body.deletedAt !== null || Math.max(0, ...(message.body.edits ?? [])) >= seq) return message;
  const { text, mentions = [], mentionsAll = false } = body;
  return { ...message, body: { ...message.body, text, mentions, mentionsAll, editedAt: at } };
}

/** What all members share of a conversation, as of a change of it or as of a later one that is known of already. */
export function asOfChange(shared: SharedInfo, { seq, at, body }: Change): SharedInfo {
  return shared.appliedSeq >= seq ? shared : { ...shared, ...body.changes, updatedAt: at, appliedSeq: seq };
}
