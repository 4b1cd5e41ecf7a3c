import type { Client, Conversation } from '@bluewave/sdk';

/** Finds somebody by the beginning of their name, and opens the direct conversation with them: always the same one. */
export async function talkTo(client: Client, name: string): Promise<Conversation | undefined> {
  const [person] = await client.searchUsers(name);
  return person && client.openDirect(person.id);
}

/** A group of this user and others. */
export async function startGroup(client: Client, name: string, people: { id: string }[]): Promise<Conversation> {
  return client.createGroup({ name, memberIds: people.map(({ id }) => id) });
}
