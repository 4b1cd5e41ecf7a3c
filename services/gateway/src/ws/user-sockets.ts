import type { Conversation, Entry } from '@bluewave/api/objects';
import type { ServerEventName, ServerEventPayload } from '@bluewave/api/socket-events';
import type { LocalRooms } from '../feed/local-user.ts';
import { roomOf } from './room-names.ts';
import type { GatewayServer, GatewaySocket, ServerToClient } from './socket-types.ts';

type Emit = (event: string, payload: unknown) => void;

/**
 * The sockets of this gateway by user and by conversation. Joins and leaves go to the adapter itself: a socket that is
 * about to be connected is in its rooms already and must not be passed over.
 */
export class UserSockets implements LocalRooms {
  readonly #io: GatewayServer;

  constructor(io: GatewayServer) {
    this.#io = io;
  }

  /** Connected sockets of a user. */
  of(userId: string): GatewaySocket[] {
    const { sockets } = this.#io.sockets;
    return this.#idsOf(userId).flatMap((id) => sockets.get(id) ?? []);
  }

  join(userId: string, conversationId: string): void {
    const rooms = new Set([roomOf.conversation(conversationId)]);
    for (const id of this.#idsOf(userId)) void this.#io.sockets.adapter.addAll(id, rooms);
  }

  leave(userId: string, conversationId: string): void {
    for (const id of this.#idsOf(userId)) void this.#io.sockets.adapter.del(id, roomOf.conversation(conversationId));
  }

  deafen(userId: string, otherId: string, on: boolean): void {
    const { adapter } = this.#io.sockets;
    const room = roomOf.deafTo(otherId);
    for (const id of this.#idsOf(userId)) void (on ? adapter.addAll(id, new Set([room])) : adapter.del(id, room));
  }

  /** Encoded once, whatever the number of sockets. */
  entryToConversation(entry: Entry): void {
    this.#emit(roomOf.conversation(entry.conversationId), entry.type, entry);
  }

  entryToUser(userId: string, entry: Entry): void {
    this.#emit(roomOf.user(userId), entry.type, entry);
  }

  conversationAdded(userId: string, conversation: Conversation): void {
    this.toUser(userId, 'conversation:added', { conversation });
  }

  conversationRemoved(userId: string, conversationId: string): void {
    this.toUser(userId, 'conversation:removed', { conversationId });
  }

  toUser<E extends ServerEventName>(userId: string, event: E, payload: ServerEventPayload<E>): void {
    this.#emit(roomOf.user(userId), event, payload);
  }

  /** An event that nobody misses for long: sockets with a backlog are passed over. */
  ephemeralToConversation<E extends ServerEventName>(
    conversationId: string,
    event: E,
    payload: ServerEventPayload<E>,
  ): void {
    const room = roomOf.conversation(conversationId);
    if (!this.#io.sockets.adapter.rooms.has(room)) return;
    (this.#io.local.to(room).except(roomOf.backlogged).emit as Emit)(event, payload);
  }

  #emit(room: string, event: keyof ServerToClient, payload: unknown): void {
    // Nobody there: not worth encoding.
    if (!this.#io.sockets.adapter.rooms.has(room)) return;
    (this.#io.local.to(room).emit as Emit)(event, payload);
  }

  #idsOf(userId: string): string[] {
    return [...(this.#io.sockets.adapter.rooms.get(roomOf.user(userId)) ?? [])];
  }
}
