import type { MessageView, OpenConversation } from '@bluewave/sdk';

/** Shown at once and rolled back when it is refused; works for messages that are not sent yet as well. */
export async function correct(conversation: OpenConversation, message: MessageView, text: string): Promise<void> {
  await conversation.edit(message.key, text);
}

export async function takeBack(conversation: OpenConversation, message: MessageView): Promise<void> {
  await conversation.delete(message.key);
}
