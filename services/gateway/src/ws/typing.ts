import { roomOf } from './room-names.ts';
import type { GatewayServer, GatewaySocket } from './socket-types.ts';

/** Who says nothing for this long has stopped. */
const stopAfterMs = 5_000;
/** A repeated start within this time is not told again. */
const repeatMs = 1_000;
/** Conversations that one socket may be typing in at once. */
const maxAtOnce = 10;

type Typing = { timer: NodeJS.Timeout; toldAt: number };

/** Who is typing where: told to the others over all gateways, and taken back when the typist falls silent or leaves. */
export class TypingSignals {
  readonly #io: GatewayServer;
  readonly #now: () => number;
  readonly #typing = new Map<string, Map<string, Typing>>();

  constructor(io: GatewayServer, now: () => number = Date.now) {
    this.#io = io;
    this.#now = now;
  }

  start(socket: GatewaySocket, conversationId: string): void {
    let typing = this.#typing.get(socket.id);
    if (!typing) this.#typing.set(socket.id, (typing = new Map()));
    const known = typing.get(conversationId);
    if (!known && typing.size >= maxAtOnce) return;
    if (known) clearTimeout(known.timer);
    const isNews = !known || this.#now() - known.toldAt >= repeatMs;
    const timer = setTimeout(() => this.stop(socket, conversationId), stopAfterMs);
    timer.unref();
    typing.set(conversationId, { timer, toldAt: isNews ? this.#now() : known.toldAt });
    if (isNews) this.#tell(socket, conversationId, true);
  }

  stop(socket: GatewaySocket, conversationId: string): void {
    const typing = this.#typing.get(socket.id);
    const known = typing?.get(conversationId);
    if (!typing || !known) return;
    clearTimeout(known.timer);
    typing.delete(conversationId);
    if (typing.size === 0) this.#typing.delete(socket.id);
    this.#tell(socket, conversationId, false);
  }

  /** The socket is gone. */
  leave(socket: GatewaySocket): void {
    for (const conversationId of [...(this.#typing.get(socket.id)?.keys() ?? [])]) this.stop(socket, conversationId);
  }

  close(): void {
    for (const typing of this.#typing.values()) for (const { timer } of typing.values()) clearTimeout(timer);
    this.#typing.clear();
  }

  #tell(socket: GatewaySocket, conversationId: string, on: boolean): void {
    const { id: userId } = socket.data.user;
    // Not through the socket: it may have left its rooms by now.
    this.#io
      .to(roomOf.conversation(conversationId))
      .except([socket.id, roomOf.backlogged, roomOf.deafTo(userId)])
      .emit('typing', { conversationId, userId, on });
  }
}
