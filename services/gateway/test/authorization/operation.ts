import { randomUUID } from 'node:crypto';
import type { Person } from '../http/support/caller.ts';
import { type DirectStanding, directStandings, type Scene, type Standing, standings } from './scene.ts';

export type Request = { method: string; path: string; body?: unknown };

/** Status for each standing. */
export type Answers = Record<Standing, number>;
export type DirectAnswers = Record<DirectStanding, number>;

/** An operation about a conversation, and what each of its people is answered. */
export type ConversationOperation = {
  about: 'conversation';
  request(scene: Scene, actor: Person): Request;
  answers: Answers;
  /** In a direct conversation, where it means something there. */
  direct?: DirectAnswers;
};

/** An operation about the caller alone, or about nobody: whoever has a token may. */
export type OwnOperation = { about: 'oneself' };
/** Needs no token. */
export type PublicOperation = { about: 'nobody' };
export type Operation = ConversationOperation | OwnOperation | PublicOperation;

/**
 * Statuses in the order stranger, exMember, banned | member, author | moderator, admin, owner. `author` wrote the message
 * that is acted upon; all others did not.
 */
export function allowed(line: string): Answers {
  return byName(standings, line);
}

/** Statuses in the order peer, blocked, blocker. */
export function inDirect(line: string): DirectAnswers {
  return byName(directStandings, line);
}

function byName<K extends string>(names: readonly K[], line: string): Record<K, number> {
  const numbers = line.split(/[ |]+/).map(Number);
  if (numbers.length !== names.length || numbers.some(Number.isNaN))
    throw new Error(`not ${names.length} statuses: ${line}`);
  return Object.fromEntries(names.map((name, index) => [name, numbers[index]])) as Record<K, number>;
}

/** An operation on the conversation itself: `{c}` in the path is its id, `{m}` the message's, `{t}` the target's. */
export function on(
  method: string,
  path: string,
  line: string,
  more: { body?: (scene: Scene) => unknown; direct?: string } = {},
): ConversationOperation {
  return {
    about: 'conversation',
    request: (scene) => ({
      method,
      path: path
        .replace('{c}', scene.conversationId)
        .replace('{m}', scene.messageId)
        .replace('{t}', scene.people.target.id),
      ...(more.body ? { body: more.body(scene) } : {}),
    }),
    answers: allowed(line),
    ...(more.direct === undefined ? {} : { direct: inDirect(more.direct) }),
  };
}

/** The same scene, but with a conversation and a message that were never there. */
export function absent(scene: Scene): Scene {
  const conversationId = randomUUID();
  return { ...scene, conversationId, messageId: `${conversationId}:2` };
}
