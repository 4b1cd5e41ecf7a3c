import type { Client, OpenConversation } from '@bluewave/sdk';

/** Says who is online and who types. @returns what ends that. */
export function watchPeople(
  client: Client,
  conversation: OpenConversation,
  userIds: string[],
  draw: (line: string) => void,
): () => void {
  const presence = client.watchPresence(userIds);
  const show = (): void => {
    const online = userIds.filter((id) => presence.get().get(id)?.status === 'online');
    draw(`${online.length} online, ${conversation.typing.get().length} typing`);
  };
  const ends = [presence.subscribe(show), conversation.typing.subscribe(show), () => presence.close()];
  return () => ends.forEach((end) => end());
}

/** For each key that is pressed; that it stopped is told by itself. */
export function keyPressed(conversation: OpenConversation): void {
  conversation.type();
}
