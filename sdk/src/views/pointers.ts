import type { ServerEvents } from '../contract.ts';
import type { LeastPointers } from './message-view.ts';

const none: LeastPointers = { deliveredSeq: 0, readSeq: 0 };

/** How far the other members of each conversation have said to be while this client listened. */
export class Pointers {
  readonly #byConversation = new Map<string, Map<string, LeastPointers>>();

  take({ conversationId, userId, deliveredSeq, readSeq }: ServerEvents['receipt']): void {
    const users = this.#byConversation.get(conversationId) ?? new Map<string, LeastPointers>();
    this.#byConversation.set(conversationId, users);
    const held = users.get(userId) ?? none;
    users.set(userId, {
      deliveredSeq: Math.max(held.deliveredSeq, deliveredSeq),
      readSeq: Math.max(held.readSeq, readSeq),
    });
  }

  forget(conversationId: string): void {
    this.#byConversation.delete(conversationId);
  }

  /** Whether every other member was heard of; else `least` cannot tell, and the platform must be asked. */
  isComplete(conversationId: string, memberCount: number): boolean {
    return (this.#byConversation.get(conversationId)?.size ?? 0) >= memberCount - 1;
  }

  /** How far all other members are. */
  least(conversationId: string, memberCount: number): LeastPointers {
    const users = this.#byConversation.get(conversationId);
    if (!users || users.size === 0 || !this.isComplete(conversationId, memberCount)) return none;
    const all = [...users.values()];
    return {
      deliveredSeq: Math.min(...all.map(({ deliveredSeq }) => deliveredSeq)),
      readSeq: Math.min(...all.map(({ readSeq }) => readSeq)),
    };
  }
}
