import type { HeldConversation, HeldMessage, OutboxItem, Store } from './store.ts';

/** Keeps everything for as long as this object lives; a second client may go on with it. */
export function createMemoryStore(): Store {
  const conversations = new Map<string, HeldConversation>();
  const messages = new Map<string, HeldMessage[]>();
  const outbox = new Map<string, OutboxItem>();
  const values = new Map<string, string>();
  return {
    load: async () =>
      copy({
        conversations: [...conversations.values()],
        outbox: [...outbox.values()].sort((one, other) => one.order - other.order),
        values: Object.fromEntries(values),
      }),
    messages: async (conversationId) => copy(messages.get(conversationId) ?? []),
    async write(given) {
      const batch = copy(given);
      for (const id of batch.goneConversations) {
        conversations.delete(id);
        messages.delete(id);
      }
      for (const id of batch.goneOutbox) outbox.delete(id);
      for (const conversation of batch.conversations) conversations.set(conversation.id, conversation);
      for (const one of batch.messages) messages.set(one.conversationId, one.messages);
      for (const item of batch.outbox) outbox.set(item.id, item);
      for (const { name, value } of batch.values) values.set(name, value);
    },
    async clear() {
      for (const table of [conversations, messages, outbox, values]) table.clear();
    },
    close: async () => undefined,
  };
}

/** What is kept must not change with what was given: as with any store that really writes. */
function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
