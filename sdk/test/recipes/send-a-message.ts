import { BluewaveError, type OpenConversation } from '@bluewave/sdk';

/** The message shows at once. It goes out when there is a connection, also after the app was closed in between. */
export async function say(conversation: OpenConversation, text: string): Promise<string> {
  const { message, done } = conversation.send(text);
  try {
    const { seq } = await done;
    return `number ${seq}`;
  } catch (error) {
    // Refused for good: it shows as failed until `delete(key)` takes it away or `retry(key)` sends it again.
    if (error instanceof BluewaveError) return `${message.key} was refused: ${error.code} (trace ${error.traceId})`;
    throw error;
  }
}
