import type { Message, UserSummary } from '@bluewave/api/objects';
import type { SystemNote } from '@bluewave/protos/generated/bluewave/chat/v1/SystemNote';

const events = ['joined', 'added', 'left', 'removed', 'renamed'] as const;

/** Names of more people than this make no sentence. */
const named = 3;

/** What happened, for clients that say it in their own words. */
export function presentNote({ event, userIds, name }: SystemNote): Message['system'] {
  return { event: eventOf(event), userIds, ...(name === '' ? {} : { name }) };
}

/** What happened, as an English sentence: for clients that show texts as they come. */
export function sentenceOf(note: SystemNote, actor: UserSummary, users: (id: string) => UserSummary): string {
  const whom = listOf(note.userIds.map((id) => nameOf(users(id))));
  switch (eventOf(note.event)) {
    case 'joined':
      return `${nameOf(actor)} joined`;
    case 'left':
      return `${nameOf(actor)} left`;
    case 'added':
      return `${nameOf(actor)} added ${whom}`;
    case 'removed':
      return `${nameOf(actor)} removed ${whom}`;
    case 'renamed':
      return `${nameOf(actor)} changed the name to “${note.name}”`;
  }
}

function eventOf(event: string): (typeof events)[number] {
  return events.find((one) => one === event) ?? 'renamed';
}

function nameOf({ displayName, username }: UserSummary): string {
  return displayName || username || 'Somebody';
}

function listOf(names: string[]): string {
  if (names.length > named) return `${names.slice(0, named).join(', ')} and ${names.length - named} more`;
  const last = names.at(-1) ?? '';
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${last}` : last;
}
