import { z } from 'zod';
import { messageId, seq, timestamp, uuid } from './fields.ts';

/** What the server answers. Objects grow additively; clients ignore fields they do not know. */
export const userSummary = z
  .object({ id: uuid, username: z.string(), displayName: z.string(), avatarUrl: z.string().nullable() })
  .meta({ id: 'UserSummary' });

export const user = userSummary
  .extend({
    bio: z.string(),
    status: z.enum(['online', 'away', 'offline']),
    lastSeenAt: timestamp.nullable(),
    createdAt: timestamp,
  })
  .meta({ id: 'User' });

export const me = user
  .extend({
    email: z.string().nullable(),
    phone: z.string().nullable(),
    emailVerified: z.boolean(),
    totpEnabled: z.boolean(),
    settings: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Me' });

export const media = z
  .object({
    uploadId: uuid,
    kind: z.enum(['image', 'file', 'audio', 'video']),
    fileName: z.string(),
    contentType: z.string(),
    size: z.int(),
    width: z.int().optional(),
    height: z.int().optional(),
    durationMs: z.int().optional(),
    thumbhash: z.string().optional(),
    url: z.string(),
    thumbnailUrl: z.string().optional(),
    status: z.enum(['pending', 'processing', 'ready', 'rejected']),
  })
  .meta({ id: 'Media' });

export const message = z
  .object({
    id: messageId,
    conversationId: uuid,
    seq,
    clientMsgId: uuid,
    type: z.enum(['text', 'image', 'file', 'audio', 'video', 'system']),
    sender: userSummary,
    text: z.string(),
    attachments: z.array(media),
    mentions: z.array(uuid),
    forwardCount: z.int(),
    reactions: z.array(z.object({ emoji: z.string(), count: z.int(), mine: z.boolean() })),
    starred: z.boolean(),
    pinned: z.boolean(),
    editedAt: timestamp.optional(),
    deletedAt: timestamp.optional(),
    status: z.enum(['sent', 'delivered', 'read']),
    createdAt: timestamp,
  })
  .meta({ id: 'Message' });

export const role = z.enum(['owner', 'admin', 'moderator', 'member']);

export const conversation = z
  .object({
    id: uuid,
    type: z.enum(['direct', 'group', 'room']),
    name: z.string().optional(),
    description: z.string().optional(),
    avatarUrl: z.string().nullable(),
    /** The other member of a direct conversation. */
    peer: userSummary.optional(),
    createdBy: uuid,
    createdAt: timestamp,
    updatedAt: timestamp,
    head: seq,
    memberCount: z.int(),
    lastMessage: message.optional(),
    me: z.object({
      role,
      joinedAt: timestamp,
      readSeq: seq,
      deliveredSeq: seq,
      unread: z.int(),
      unreadMentions: z.int(),
      archived: z.boolean(),
      pinned: z.boolean(),
      mutedUntil: timestamp.nullable(),
      notify: z.enum(['all', 'mentions', 'none']),
    }),
  })
  .meta({ id: 'Conversation' });

/** A conversation without the reader's own view, as broadcast to all members. */
export const conversationInfo = conversation
  .omit({ me: true, lastMessage: true, peer: true })
  .meta({ id: 'ConversationInfo' });

export const member = z.object({ user, role, joinedAt: timestamp }).meta({ id: 'Member' });

const entryBase = { conversationId: uuid, seq, actor: uuid, at: timestamp };

/** One entry of a conversation's log, tagged by `type`; the same shapes travel as socket events of that name. */
export const entry = z
  .discriminatedUnion('type', [
    z.object({ ...entryBase, type: z.literal('message:new'), message }),
    z.object({ ...entryBase, type: z.literal('message:edited'), message }),
    z.object({ ...entryBase, type: z.literal('message:deleted'), messageId }),
    z.object({
      ...entryBase,
      type: z.literal('message:reaction'),
      messageId,
      userId: uuid,
      emoji: z.string(),
      on: z.boolean(),
    }),
    z.object({ ...entryBase, type: z.literal('message:pinned'), messageId, on: z.boolean() }),
    z.object({ ...entryBase, type: z.literal('conversation:updated'), conversation: conversationInfo }),
    z.object({ ...entryBase, type: z.literal('conversation:deleted') }),
    z.object({ ...entryBase, type: z.literal('member:added'), userIds: z.array(uuid) }),
    z.object({ ...entryBase, type: z.literal('member:removed'), userId: uuid }),
    z.object({ ...entryBase, type: z.literal('member:updated'), userId: uuid, role }),
  ])
  .meta({ id: 'Entry' });

export const syncAnswer = z
  .object({
    conversations: z.array(z.object({ conversation, entries: z.array(entry), hasMore: z.boolean() })),
    removed: z.array(uuid),
    token: z.string(),
  })
  .meta({ id: 'SyncAnswer' });

export const deviceItem = z
  .object({
    id: uuid,
    name: z.string(),
    platform: z.string(),
    appVersion: z.string().optional(),
    lastSeenAt: timestamp,
    current: z.boolean(),
    push: z.object({ provider: z.string() }).nullable(),
  })
  .meta({ id: 'Device' });

export const session = z
  .object({
    user: me,
    accessToken: z.string(),
    refreshToken: z.string(),
    expiresIn: z.int().meta({ description: 'Seconds until the access token expires' }),
    deviceId: uuid,
  })
  .meta({ id: 'Session' });

export type UserSummary = z.output<typeof userSummary>;
export type User = z.output<typeof user>;
export type Me = z.output<typeof me>;
export type Media = z.output<typeof media>;
export type Message = z.output<typeof message>;
export type Conversation = z.output<typeof conversation>;
export type ConversationInfo = z.output<typeof conversationInfo>;
export type Member = z.output<typeof member>;
export type Entry = z.output<typeof entry>;
export type SyncAnswer = z.output<typeof syncAnswer>;
export type DeviceItem = z.output<typeof deviceItem>;
export type Session = z.output<typeof session>;
