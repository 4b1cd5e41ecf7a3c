import { type Client, type Conversation, createClient, type SessionTokens } from '@bluewave/sdk';
import { createDexieStore } from '@bluewave/sdk/dexie-store';

/** Conversations, their newest messages and what is not sent yet survive reloads and being offline. */
export async function startOffline(
  url: string,
  session: SessionTokens & { user: { id: string } },
  draw: (conversations: readonly Conversation[]) => void,
): Promise<Client> {
  const store = createDexieStore({ name: `bluewave-${session.user.id}` });
  const client = await createClient({ url, session, store });
  // Shown before there is a connection; what waits in the outbox goes out with it.
  draw(client.conversations.get());
  client.connect();
  return client;
}
