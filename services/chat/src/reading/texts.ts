import type { LogEntry, MessageBody } from '../log/entry.ts';
import type { ReadStore } from './read-store.ts';

/** A text that a message had, since a time in milliseconds since the epoch. */
export type TextVersion = { text: string; at: number };

/** The texts of a message, oldest first and the current one last; none of a message that was deleted. */
export async function textsOf(
  reads: Pick<ReadStore, 'entries'>,
  message: LogEntry & { body: MessageBody },
): Promise<TextVersion[]> {
  const { body, at, conversationId } = message;
  if (body.deletedAt !== null) return [];
  const edits = body.edits ?? [];
  if (edits.length === 0) return [{ text: body.text, at }];
  const found = await reads.entries(conversationId, edits);
  const versions = found
    .sort((a, b) => a.seq - b.seq)
    .flatMap(({ body: edit, at: since }) => (edit.type === 'message:edited' ? [{ text: edit.text, at: since }] : []));
  return [{ text: body.original ?? '', at }, ...versions];
}
