import { z } from 'zod';
import {
  device,
  email,
  emoji,
  identifier,
  mention,
  messageId,
  password,
  phone,
  seq,
  text,
  timestampInput,
  username,
  uuid,
} from './fields.ts';
import { limits } from './limits.ts';

/** What clients send. Unknown keys are refused everywhere; strings are bounded. */
export const registerInput = z.strictObject({
  email,
  username,
  password,
  displayName: text(100, 1).optional(),
  phone: phone.optional(),
  device: device.optional(),
});

export const loginInput = z.strictObject({
  identifier,
  password: text(200, 1),
  device: device.optional(),
});

export const requestCodeInput = z.strictObject({ identifier });

export const verifyCodeInput = z.strictObject({
  identifier,
  code: z.string().regex(/^\d{6}$/, 'must be 6 digits'),
  device: device.optional(),
});

export const refreshInput = z.strictObject({ refreshToken: z.string().min(1).max(512) });

export const nothing = z.strictObject({});

export const putDeviceInput = device.omit({ id: true }).strict();

export const putContactInput = z.strictObject({ alias: text(100, 1).optional() });

export const pushTokenInput = z.strictObject({
  provider: z.enum(['fcm', 'webpush']),
  token: z.string().min(1).max(4096),
});

const name = text(255, 1);
const description = text(1000);
const history = z
  .enum(['all', 'joined'])
  .meta({ description: 'What those who join see of the time before: all of it, or nothing' });
const sharedFields = {
  name,
  description: description.optional(),
  avatarId: uuid.optional().meta({ description: 'A confirmed upload of yours that is an image' }),
  history: history.optional(),
};

export const createConversationInput = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('direct'), userId: uuid }),
  z.strictObject({
    type: z.literal('group'),
    memberIds: z.array(uuid).max(limits.groupMembers - 1),
    ...sharedFields,
  }),
  z.strictObject({ type: z.literal('room'), ...sharedFields }),
]);

export const updateConversationInput = z.strictObject({
  name: name.optional(),
  description: description.optional(),
  avatarId: uuid.nullable().optional().meta({ description: 'Null takes the picture away' }),
  history: history.optional(),
  slowModeSeconds: z
    .int()
    .min(0)
    .max(limits.slowModeSeconds)
    .optional()
    .meta({ description: 'Least time between two messages of a plain member; 0 for none' }),
});

export const addMembersInput = z.strictObject({ userIds: z.array(uuid).min(1).max(100) });

const mentions = z
  .array(mention)
  .max(limits.mentionsPerMessage)
  .optional()
  .meta({ description: 'Members to call; `all` calls every member and needs a moderator' });

export const changeRoleInput = z.strictObject({ role: z.enum(['owner', 'admin', 'moderator', 'member']) });
export const transferOwnershipInput = z.strictObject({ userId: uuid });

export const banInput = z.strictObject({
  reason: text(500).optional(),
  until: timestampInput.optional().meta({ description: 'Without it, for good' }),
});

export const preferencesInput = z.strictObject({
  archived: z.boolean().optional(),
  pinned: z.boolean().optional(),
  mutedUntil: timestampInput.nullable().optional(),
  notify: z.enum(['all', 'mentions', 'none']).optional(),
});

const messageFields = {
  clientMsgId: uuid,
  type: z.enum(['text', 'image', 'file', 'audio', 'video']).optional(),
  text: text(limits.textCharacters).optional(),
  attachments: z.array(uuid).max(limits.attachmentsPerMessage).optional(),
  replyTo: messageId.optional(),
  threadRootId: messageId.optional(),
  mentions,
};

export const sendMessageInput = z.strictObject(messageFields);
export const sendMessageEvent = z.strictObject({ conversationId: uuid, ...messageFields });

/** Without `mentions` the message goes on calling those whom it called. */
const editFields = { text: text(limits.textCharacters, 1), mentions };

export const editMessageInput = z.strictObject(editFields);
export const editMessageEvent = z.strictObject({ messageId, ...editFields });
export const deleteMessageEvent = z.strictObject({ messageId });
export const reactEvent = z.strictObject({ messageId, emoji, on: z.boolean() });

export const forwardInput = z.strictObject({ conversationIds: z.array(uuid).min(1).max(limits.forwardTargets) });

export const reportReasons = [
  ...['spam', 'scam', 'abuse', 'harassment', 'hate', 'violence', 'sexual', 'self_harm', 'illegal', 'impersonation'],
  'other',
] as const;
export const reportInput = z.strictObject({ reason: z.enum(reportReasons), note: text(1_000).optional() });

export const pointerInput = z.strictObject({ seq });
export const pointerEvent = z.strictObject({ conversationId: uuid, seq });

const cursors = z
  .record(uuid, seq)
  .refine((value) => Object.keys(value).length <= limits.syncConversations, 'has too many conversations');

export const syncInput = z.strictObject({
  cursors,
  token: z.string().min(1).max(512).optional(),
  limit: z.int().min(1).max(limits.syncPageEntries).optional(),
});

export const conversationEvent = z.strictObject({ conversationId: uuid });
export const presenceSetEvent = z.strictObject({ status: z.enum(['online', 'away']) });
export const presenceWatchEvent = z.strictObject({ userIds: z.array(uuid).max(200) });
export const presencePingEvent = z.strictObject({ heads: cursors.optional() });

export const uploadInput = z.strictObject({
  fileName: text(255, 1),
  contentType: z
    .string()
    .max(127)
    .regex(/^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/, 'must be a media type'),
  size: z.int().min(1).max(limits.fileBytes),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be lower-case hex')
    .optional(),
  purpose: z.enum(['message', 'avatar']),
  conversationId: uuid.optional(),
});

export const confirmInput = z.strictObject({ uploadId: uuid });
