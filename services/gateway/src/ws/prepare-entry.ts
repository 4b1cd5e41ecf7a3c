import type { UserSummary } from '@bluewave/api/objects';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import type { LogEntry } from '../feed/conversation-log.ts';
import type { PreparedEntry } from '../feed/local-user.ts';
import type { Directory } from '../present/directory.ts';
import { presentEntry, usersOfEntry } from '../present/present-entry.ts';
import { unknownUser } from '../present/present-user.ts';

const lookupMs = 1_000;

/**
 * Makes entries ready for clients: at once when the sender's name is held, else after asking for it. Never rejects; an
 * entry of a kind that this gateway does not know is passed over, and clients that know it find it by sync.
 */
export function createEntryPreparer(
  directory: Pick<Directory, 'peek' | 'lookup'>,
  log: Logger,
): (entry: LogEntry) => PreparedEntry | Promise<PreparedEntry> {
  const present = (entry: LogEntry, users: ReadonlyMap<string, UserSummary>): PreparedEntry => {
    try {
      return presentEntry(entry, (id) => users.get(id) ?? unknownUser(id));
    } catch (error) {
      log.error({ err: error, conversationId: entry.conversationId, seq: entry.seq }, 'an entry was passed over');
      return undefined;
    }
  };
  return (entry) => {
    const ids = usersOfEntry(entry);
    const held = directory.peek(ids);
    if (held.size === ids.length) return present(entry, held);
    const context = { traceId: newTraceId(), deadline: Date.now() + lookupMs };
    return directory.lookup(ids, context).then((users) => present(entry, users));
  };
}
