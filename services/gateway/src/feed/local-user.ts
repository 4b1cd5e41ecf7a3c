import type { Conversation, Entry } from '@bluewave/api/objects';
import type { Identity } from '../identity/identity.ts';
import type { Membership } from './membership.ts';

/** An entry for clients; undefined when it is of a kind that this gateway does not know and passes over. */
export type PreparedEntry = Entry | undefined;

/** A user with a socket here, or who had one a moment ago. */
export type LocalUser = {
  readonly id: string;
  identity: Identity;
  sockets: number;
  /** Their memberships are known. */
  ready: boolean;
  readonly conversations: Map<string, Membership>;
  /** Whom they have blocked, as far as it was heard. */
  readonly blocked: ReadonlySet<string>;
};

/** The sockets of this gateway, as rooms. All of it happens at once. */
export type LocalRooms = {
  /** Puts every socket of a user into the room of a conversation. */
  join(userId: string, conversationId: string): void;
  leave(userId: string, conversationId: string): void;
  /** What the other types no longer reaches the user's sockets, or does again. */
  deafen(userId: string, otherId: string, on: boolean): void;
  entryToConversation(entry: Entry): void;
  entryToUser(userId: string, entry: Entry): void;
  conversationAdded(userId: string, conversation: Conversation): void;
  conversationRemoved(userId: string, conversationId: string): void;
};
