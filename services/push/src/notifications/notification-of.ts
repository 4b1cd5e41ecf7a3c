import { type CommittedMessage, messageIdOf } from './committed-message.ts';
import { cutText } from './cut-text.ts';
import type { Audience } from './peers.ts';
import type { PushMessage } from './provider.ts';

/** FCM takes 4,096 bytes of notification and data together. */
const body = { characters: 240, bytes: 2_000 };
const name = { characters: 60, bytes: 400 };

const words: Readonly<Record<string, string>> = { image: 'Photo', video: 'Video', audio: 'Audio' };

/** What a phone shows for a message. @param senderName undefined when the account is gone. */
export function notificationOf(
  message: CommittedMessage,
  audience: Pick<Audience, 'conversationType' | 'conversationName'>,
  senderName: string | undefined,
): PushMessage {
  const messageId = messageIdOf(message);
  return {
    title: titleOf(audience, senderName),
    body: bodyOf(message),
    collapseId: messageId,
    data: { conversationId: message.conversationId, messageId, seq: String(message.seq) },
  };
}

function titleOf(
  audience: Pick<Audience, 'conversationType' | 'conversationName'>,
  senderName: string | undefined,
): string {
  const who = oneLine(senderName ?? '') || 'Someone';
  const where = audience.conversationType === 'direct' ? '' : oneLine(audience.conversationName);
  return where ? `${who} in ${where}` : `New Message from ${who}`;
}

function bodyOf(message: CommittedMessage): string {
  const text = message.text.trim();
  if (text) return cutText(text, body.characters, body.bytes);
  const [first = 'file'] = message.attachmentKinds;
  const word = words[first] ?? 'File';
  const more = message.attachmentKinds.length - 1;
  return more > 0 ? `${word} and ${more} more` : word;
}

const oneLine = (text: string): string => cutText(text.replace(/\s+/gu, ' ').trim(), name.characters, name.bytes);
