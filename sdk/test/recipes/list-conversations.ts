import type { Client, Conversation } from '@bluewave/sdk';

const describe = ({ name, peer, lastMessage, me }: Conversation): string =>
  `${name ?? peer?.displayName ?? ''}: ${lastMessage?.text ?? ''} (${me.unread} unread)`;

/** Draws the list now and whenever it changes. @returns what ends that. */
export function showConversations(client: Client, draw: (lines: string[]) => void): () => void {
  draw(client.conversations.get().map(describe));
  return client.conversations.subscribe((conversations) => draw(conversations.map(describe)));
}
