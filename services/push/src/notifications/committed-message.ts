/** A message that was committed to a conversation's log, as far as notifications need it. */
export type CommittedMessage = {
  conversationId: string;
  seq: number;
  senderId: string;
  /** When it was committed, milliseconds since the epoch by the clock of the chat service. */
  atMs: number;
  text: string;
  /** image, video, audio or file, one for each attachment. */
  attachmentKinds: string[];
  /** Everybody who was a member but the sender; undefined when the conversation is too large to carry them along. */
  recipientIds: string[] | undefined;
  traceId: string;
};

export function messageIdOf(message: { conversationId: string; seq: number }): string {
  return `${message.conversationId}:${message.seq}`;
}
