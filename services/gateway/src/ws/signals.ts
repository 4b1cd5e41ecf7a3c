import type { ConversationSignal } from '@bluewave/protos/generated/bluewave/events/v1/ConversationSignal';
import type { UserEvent } from '@bluewave/protos/generated/bluewave/events/v1/UserEvent';
import { toAppError } from '@bluewave/errors/app-error';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import type { LocalUser } from '../feed/local-user.ts';
import type { Operations } from '../operations/operations.ts';
import { presentMedia } from '../present/present-media.ts';
import { presentTime } from '../present/present-time.ts';
import type { UploadStates } from '../present/upload-states.ts';
import { roomOf } from './room-names.ts';
import type { UserSockets } from './user-sockets.ts';

export type SignalsOptions = {
  sockets: UserSockets;
  operations: Pick<Operations, 'getConversation'>;
  uploadStates: Pick<UploadStates, 'note'>;
  log: Logger;
};

/** Several changes of one's own view within this time are told as one. */
const meMs = 500;
const loadMs = 2_000;

/** What the bus tells beside entries, as events for sockets: receipts, uploads, one's own view of a conversation. */
export class Signals {
  readonly #options: SignalsOptions;
  readonly #pending = new Map<string, NodeJS.Timeout>();

  constructor(options: SignalsOptions) {
    this.#options = options;
  }

  /** For all members of a conversation. */
  conversation(signal: ConversationSignal): void {
    const { conversationId, receipt, mediaUpdated } = signal;
    const { sockets, uploadStates } = this.#options;
    if (receipt) {
      const { userId, deliveredSeq, readSeq, atMs } = receipt;
      const payload = { conversationId, userId, deliveredSeq, readSeq, at: presentTime(atMs) };
      sockets.ephemeralToConversation(conversationId, 'receipt', payload);
    } else if (mediaUpdated) {
      uploadStates.note(mediaUpdated);
      const media = presentMedia(mediaUpdated);
      sockets.ephemeralToConversation(conversationId, 'media:updated', { media });
    }
  }

  /** For one user. */
  user(user: LocalUser, event: UserEvent): void {
    const { mediaUpdated, conversationMeChanged, presenceHidden, conversationMuted, messageStarred } = event;
    if (mediaUpdated) {
      this.#options.uploadStates.note(mediaUpdated);
      this.#options.sockets.toUser(user.id, 'media:updated', { media: presentMedia(mediaUpdated) });
    } else if (conversationMeChanged) {
      this.#tellMeSoon(user, conversationMeChanged.conversationId);
    } else if (presenceHidden) {
      this.#hidePresence(user, presenceHidden.userId);
    } else if (conversationMuted) {
      const { conversationId, untilMs } = conversationMuted;
      this.#options.sockets.toUser(user.id, 'conversation:muted', { conversationId, until: presentTime(untilMs) });
    } else if (messageStarred) {
      const { conversationId, seq, on } = messageStarred;
      this.#options.sockets.toUser(user.id, 'message:starred', { messageId: `${conversationId}:${seq}`, on });
    }
  }

  close(): void {
    for (const timer of this.#pending.values()) clearTimeout(timer);
    this.#pending.clear();
  }

  /** Somebody no longer shows theirs: what is held of it is over, as if they had gone. */
  #hidePresence(user: LocalUser, userId: string): void {
    const { sockets } = this.#options;
    for (const socket of sockets.of(user.id)) {
      void socket.leave(roomOf.watchers(userId));
      socket.data.watched = socket.data.watched.filter((id) => id !== userId);
    }
    sockets.toUser(user.id, 'presence', { userId, status: 'offline', lastSeenAt: null });
  }

  #tellMeSoon(user: LocalUser, conversationId: string): void {
    const key = `${user.id} ${conversationId}`;
    if (this.#pending.has(key)) return;
    const timer = setTimeout(() => {
      this.#pending.delete(key);
      void this.#tellMe(user, conversationId);
    }, meMs);
    timer.unref();
    this.#pending.set(key, timer);
  }

  async #tellMe(user: LocalUser, conversationId: string): Promise<void> {
    if (user.sockets === 0) return;
    const context = { traceId: newTraceId(), deadline: Date.now() + loadMs };
    try {
      const { me } = await this.#options.operations.getConversation(user.identity, conversationId, context);
      this.#options.sockets.toUser(user.id, 'conversation:me', { conversationId, me });
    } catch (thrown) {
      const error = toAppError(thrown);
      // Removed meanwhile; else the next sync tells.
      if (error.code === 'NOT_FOUND') return;
      this.#options.log.warn({ err: error, conversationId, traceId: context.traceId }, 'a changed view was not told');
    }
  }
}
