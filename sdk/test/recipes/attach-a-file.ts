import type { Client, Message, OpenConversation } from '@bluewave/sdk';

/** Puts a file straight into the object storage, with progress, and sends it. `signal` calls it off. */
export async function sendFile(
  client: Client,
  conversation: OpenConversation,
  file: File,
  show: (percent: number) => void,
  signal: AbortSignal,
): Promise<Message> {
  const media = await client.upload(file, {
    signal,
    onProgress: ({ sent, total }) => show(Math.round((sent / total) * 100)),
  });
  return conversation.send({ attachments: [media] }).done;
}
