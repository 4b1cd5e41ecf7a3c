import type { Conversation, Entry, FoundConversation, Message, SyncAnswer } from '@bluewave/api/objects';
import type { Attachment } from '@bluewave/protos/generated/bluewave/chat/v1/Attachment';
import type { Conversation as LogConversation } from '@bluewave/protos/generated/bluewave/chat/v1/Conversation';
import type { Entry as LogEntry } from '@bluewave/protos/generated/bluewave/chat/v1/Entry';
import type { Message as LogMessage } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { SyncReply } from '@bluewave/protos/generated/bluewave/chat/v1/SyncReply';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { ConversationTypes } from '../clients/conversation-types.ts';
import type { Identity } from '../identity/identity.ts';
import type { Directory } from './directory.ts';
import { presentConversation, presentFound } from './present-conversation.ts';
import { presentEntry, usersOfEntry } from './present-entry.ts';
import { presentMessage, type UploadLookup, type UserLookup, usersOfMessage } from './present-message.ts';
import { unknownUser } from './present-user.ts';
import type { UploadStates } from './upload-states.ts';

/** What services answer, completed with names and states of uploads, for clients. None of it rejects for auth or media. */
export type Presenter = {
  /** The caller's own message, without asking anybody: what is not held of its sender the token says. */
  own(message: LogMessage, caller: Identity): Message;
  messages(messages: readonly LogMessage[], context: CallContext): Promise<Message[]>;
  entries(entries: readonly LogEntry[], context: CallContext): Promise<Entry[]>;
  conversations(list: readonly LogConversation[], readerId: string, context: CallContext): Promise<Conversation[]>;
  /** Also rooms that the reader is no member of. */
  found(list: readonly LogConversation[], readerId: string, context: CallContext): Promise<FoundConversation[]>;
  sync(reply: SyncReply, readerId: string, context: CallContext): Promise<SyncAnswer>;
};

type Lookups = { users: UserLookup; uploads: UploadLookup };

export function createPresenter(
  directory: Directory,
  uploadStates: UploadStates,
  types: Pick<ConversationTypes, 'note'>,
): Presenter {
  const noteTypes = (list: readonly LogConversation[]): void => {
    for (const { info } of list) if (info) types.note(info.id, info.type);
  };
  const find = async (
    userIds: Iterable<string>,
    attachments: Iterable<Attachment>,
    context: CallContext,
  ): Promise<Lookups> => {
    const [users, uploads] = await Promise.all([
      directory.lookup(userIds, context),
      uploadStates.current(attachments, context),
    ]);
    return { users: (id) => users.get(id) ?? unknownUser(id), uploads };
  };
  return {
    own(message, { userId: id, username, displayName, avatarUrl }) {
      const held = directory.peek(usersOfMessage(message));
      const sender = held.get(id) ?? { id, username, displayName, avatarUrl };
      return presentMessage(message, (userId) => (userId === id ? sender : (held.get(userId) ?? unknownUser(userId))));
    },
    async messages(messages, context) {
      const { users, uploads } = await find(
        messages.flatMap(usersOfMessage),
        messages.flatMap((message) => message.attachments),
        context,
      );
      return messages.map((message) => presentMessage(message, users, uploads));
    },
    async entries(entries, context) {
      const { users, uploads } = await find(entries.flatMap(usersOfEntry), attachmentsOf(entries), context);
      return entries.map((entry) => presentEntry(entry, users, uploads));
    },
    async conversations(list, readerId, context) {
      noteTypes(list);
      const { users, uploads } = await find(list.flatMap(usersOfConversation), attachmentsOfLast(list), context);
      return list.map((conversation) => presentConversation(conversation, readerId, users, uploads));
    },
    async found(list, readerId, context) {
      const { users, uploads } = await find(list.flatMap(usersOfConversation), attachmentsOfLast(list), context);
      return list.map((conversation) => presentFound(conversation, readerId, users, uploads));
    },
    async sync(reply, readerId, context) {
      const held = reply.conversations.flatMap(({ conversation }) => (conversation ? [conversation] : []));
      const entries = reply.conversations.flatMap((one) => one.entries);
      noteTypes(held);
      const { users, uploads } = await find(
        [...held.flatMap(usersOfConversation), ...entries.flatMap(usersOfEntry)],
        [...attachmentsOfLast(held), ...attachmentsOf(entries)],
        context,
      );
      const conversations = reply.conversations.flatMap((one) =>
        one.conversation
          ? [
              {
                conversation: presentConversation(one.conversation, readerId, users, uploads),
                entries: one.entries.map((entry) => presentEntry(entry, users, uploads)),
                hasMore: one.hasMore,
              },
            ]
          : [],
      );
      return { conversations, removed: reply.removed, token: reply.token, ...presentStars(reply) };
    },
  };
}

function presentStars({ starred, starsReset }: SyncReply): Pick<SyncAnswer, 'starred' | 'starredReset'> {
  const changed = starred.map(({ conversationId, seq, on }) => ({ messageId: `${conversationId}:${seq}`, on }));
  return { ...(changed.length > 0 ? { starred: changed } : {}), ...(starsReset ? { starredReset: true } : {}) };
}

function attachmentsOf(entries: readonly LogEntry[]): Attachment[] {
  return entries.flatMap((entry) => (entry.messageNew ?? entry.messageEdited)?.attachments ?? []);
}

function attachmentsOfLast(conversations: readonly LogConversation[]): Attachment[] {
  return conversations.flatMap((conversation) => conversation.lastMessage?.attachments ?? []);
}

function usersOfConversation({ info, lastMessage }: LogConversation): string[] {
  return [...(info?.directUserIds ?? []), ...(lastMessage ? usersOfMessage(lastMessage) : [])];
}
