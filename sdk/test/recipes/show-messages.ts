import type { Client, MessageView, OpenConversation } from '@bluewave/sdk';

/** Shows a conversation as it is read: its messages with their edits and receipts, older ones page by page. */
export async function showMessages(
  client: Client,
  conversationId: string,
  draw: (messages: readonly MessageView[]) => void,
): Promise<OpenConversation> {
  const conversation = client.open(conversationId);
  conversation.messages.subscribe((messages) => {
    draw(messages);
    conversation.markRead();
  });
  await conversation.loaded;
  while (conversation.messages.get().length < 100 && (await conversation.loadOlder()));
  return conversation;
}
