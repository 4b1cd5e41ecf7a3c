import { z } from 'zod';
import { messageId, seq, timestamp, uuid } from './fields.ts';
import { problem } from './problem-schema.ts';

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

const messageTypes = ['text', 'image', 'file', 'audio', 'video', 'system'] as const;

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

export const replyTo = z
  .object({
    messageId,
    seq,
    sender: userSummary,
    type: z.enum(messageTypes),
    preview: z.string().meta({ description: 'The beginning of its text as it is now' }),
    deleted: z.boolean(),
  })
  .meta({ id: 'ReplyTo' });

/** What happened, of a message of type `system`; its text says it in English. */
export const systemNote = z
  .object({
    event: z.enum(['joined', 'added', 'left', 'removed', 'renamed']),
    userIds: z.array(uuid),
    name: z.string().optional(),
  })
  .meta({ id: 'SystemNote' });

export const message = z
  .object({
    id: messageId,
    conversationId: uuid,
    seq,
    clientMsgId: uuid,
    type: z.enum(messageTypes),
    sender: userSummary,
    text: z.string(),
    attachments: z.array(media),
    mentions: z.array(uuid),
    mentionsAll: z.boolean().optional(),
    replyTo: replyTo.optional(),
    threadRootId: messageId.optional(),
    thread: z.object({ replies: z.int(), lastSeq: seq }).optional(),
    forwarded: z
      .object({ from: messageId.optional(), hops: z.int() })
      .meta({ description: '`from` is told only to readers who may open it' })
      .optional(),
    system: systemNote.optional(),
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

/** Told with each message in a room. */
export const remaining = z
  .int()
  .meta({ description: 'Messages that may be sent to this room at once before one is muted there' });

export const foundMessage = message
  .extend({
    highlights: z
      .array(z.tuple([z.int().min(0), z.int().min(1)]))
      .meta({ description: 'What matches in `text`: [start, end) in UTF-16 code units, as in JavaScript; in order.' }),
  })
  .meta({ id: 'FoundMessage' });

/** Somebody's emoji on a message. */
export const reaction = z.object({ user: userSummary, emoji: z.string(), at: timestamp }).meta({ id: 'Reaction' });

/** How far a message has come with one member; what is absent has not happened yet. */
export const receipt = z
  .object({ userId: uuid, deliveredAt: timestamp.optional(), readAt: timestamp.optional() })
  .meta({ id: 'Receipt' });

/** What became of a forward to one conversation. */
export const forwardResult = z
  .object({ conversationId: uuid, ok: z.boolean(), message: message.optional(), error: problem.optional() })
  .meta({ id: 'ForwardResult' });

/** What is not read, over all conversations; muted and archived ones count. */
export const unreadTotals = z
  .object({ total: z.int(), mentions: z.int(), conversations: z.int() })
  .meta({ id: 'UnreadTotals' });

/** A text that a message had, since a time. */
export const textVersion = z.object({ text: z.string(), at: timestamp }).meta({ id: 'TextVersion' });

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
    history: z.enum(['all', 'joined']).meta({ description: 'What those who join see of the time before' }),
    slowModeSeconds: z.int().meta({ description: 'Least time between two messages of a plain member; 0 for none' }),
    lastMessage: message.optional(),
    me: z.object({
      role,
      joinedAt: timestamp,
      firstSeq: seq.meta({ description: 'Where the log begins for you' }),
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

/** A room for who is no member of it. */
export const conversationPreview = conversationInfo.extend({ me: z.null() }).meta({ id: 'ConversationPreview' });

/** A conversation of yours, or a room that is none of yours: then `me` is null. */
export const foundConversation = z.union([conversation, conversationPreview]);

export const ban = z.object({ user: userSummary, reason: z.string(), until: timestamp.nullable() }).meta({ id: 'Ban' });

export const member = z.object({ user, role, joinedAt: timestamp }).meta({ id: 'Member' });

export const contact = z.object({ user, alias: z.string().optional(), createdAt: timestamp }).meta({ id: 'Contact' });

export const block = z.object({ user, createdAt: timestamp }).meta({ id: 'Block' });

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
    z.object({ ...entryBase, type: z.literal('member:removed'), userId: uuid, banned: z.boolean().optional() }),
    z.object({
      ...entryBase,
      type: z.literal('member:updated'),
      userId: uuid,
      role,
      demotedUserId: uuid.optional().meta({ description: 'The former owner, who is an admin now' }),
    }),
  ])
  .meta({ id: 'Entry' });

export const syncAnswer = z
  .object({
    conversations: z.array(z.object({ conversation, entries: z.array(entry), hasMore: z.boolean() })),
    removed: z.array(uuid),
    token: z.string(),
    starred: z
      .array(z.object({ messageId, on: z.boolean() }))
      .optional()
      .meta({ description: 'Own stars that changed since the token' }),
    starredReset: z.boolean().optional().meta({ description: 'Too many stars changed: list /users/me/starred again' }),
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
export type ConversationPreview = z.output<typeof conversationPreview>;
export type FoundConversation = z.output<typeof foundConversation>;
export type Ban = z.output<typeof ban>;
export type Member = z.output<typeof member>;
export type Contact = z.output<typeof contact>;
export type Block = z.output<typeof block>;
export type Entry = z.output<typeof entry>;
export type ForwardResult = z.output<typeof forwardResult>;
export type SyncAnswer = z.output<typeof syncAnswer>;
export type DeviceItem = z.output<typeof deviceItem>;
export type Session = z.output<typeof session>;
