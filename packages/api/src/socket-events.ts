import { z } from 'zod';
import { messageId, seq, timestamp, uuid } from './fields.ts';
import * as inputs from './inputs.ts';
import * as objects from './objects.ts';

/** One event from client to server: its payload and the fields of its acknowledgement beside `ok: true`. */
export type ClientEvent = { summary: string; payload: z.ZodType; ack: z.ZodObject };
/** One event from server to client. */
export type ServerEvent = { summary: string; payload: z.ZodType };

const none = z.object({});
const presence = z.object({
  userId: uuid,
  status: z.enum(['online', 'away', 'offline']),
  lastSeenAt: timestamp.nullable(),
});

/** Client -> server. Every one is acknowledged: `{ok: true, ...}` or `{ok: false, error: Problem}`. */
export const clientEvents = {
  'message:send': {
    summary: 'Send a message; repeat with the same clientMsgId until there is a definitive answer',
    payload: inputs.sendMessageEvent,
    ack: z.object({
      message: objects.message,
      duplicate: z.boolean().optional(),
      remaining: objects.remaining.optional(),
    }),
  },
  'message:edit': {
    summary: 'Edit an own message',
    payload: inputs.editMessageEvent,
    ack: z.object({ message: objects.message }),
  },
  'message:delete': { summary: 'Delete for everyone', payload: inputs.deleteMessageEvent, ack: none },
  'message:react': { summary: 'Show an emoji on a message or take it away', payload: inputs.reactEvent, ack: none },
  'message:read': { summary: 'Move the read pointer forward', payload: inputs.pointerEvent, ack: z.object({ seq }) },
  'message:delivered': {
    summary: 'Move the delivered pointer forward',
    payload: inputs.pointerEvent,
    ack: z.object({ seq }),
  },
  'typing:start': { summary: 'Typing; repeat at most every 3 s', payload: inputs.conversationEvent, ack: none },
  'typing:stop': { summary: 'No longer typing', payload: inputs.conversationEvent, ack: none },
  'presence:set': { summary: 'Online or away', payload: inputs.presenceSetEvent, ack: none },
  'presence:watch': {
    summary: 'Follow the presence of people who share a conversation; replaces the earlier list',
    payload: inputs.presenceWatchEvent,
    ack: z.object({ users: z.array(presence) }),
  },
  'presence:ping': {
    summary: 'Heartbeat every 15 s; with the heads held, the answer says whether to sync',
    payload: inputs.presencePingEvent,
    ack: z.object({ serverTime: timestamp, resync: z.boolean().optional() }),
  },
  'conversation:subscribe': {
    summary: 'Open a conversation: its state and who is there',
    payload: inputs.conversationEvent,
    ack: z.object({ conversation: objects.conversation, roster: z.array(presence) }),
  },
  'conversation:unsubscribe': { summary: 'Close a conversation', payload: inputs.conversationEvent, ack: none },
  sync: { summary: 'As POST /sync', payload: inputs.syncInput, ack: objects.syncAnswer },
} as const satisfies Record<string, ClientEvent>;

const entryOf = (type: string) => {
  const option = objects.entry.options.find((one) => one.shape.type.value === type);
  if (!option) throw new Error(`no entry of type ${type}`);
  return option;
};

/** Server -> client. Those with `seq` are entries of the log, in order, each to every socket of every member. */
export const serverEvents = {
  'message:new': { summary: 'A message was sent', payload: entryOf('message:new') },
  'message:edited': { summary: 'A message was edited: its current state', payload: entryOf('message:edited') },
  'message:deleted': { summary: 'A message was deleted', payload: entryOf('message:deleted') },
  'message:reaction': {
    summary: 'Somebody shows an emoji on a message or took it away',
    payload: entryOf('message:reaction'),
  },
  'message:pinned': { summary: 'A message was pinned or unpinned', payload: entryOf('message:pinned') },
  'conversation:updated': {
    summary: 'What all members share was changed: as it is now',
    payload: entryOf('conversation:updated'),
  },
  'conversation:deleted': { summary: 'A conversation was deleted', payload: entryOf('conversation:deleted') },
  'member:added': { summary: 'People became members', payload: entryOf('member:added') },
  'member:removed': { summary: 'Somebody left or was removed', payload: entryOf('member:removed') },
  'member:updated': { summary: 'A member got another role', payload: entryOf('member:updated') },
  'conversation:added': { summary: 'You became a member', payload: z.object({ conversation: objects.conversation }) },
  'conversation:removed': { summary: 'You are no longer a member', payload: z.object({ conversationId: uuid }) },
  receipt: {
    summary: 'A member’s pointers moved',
    payload: z.object({ conversationId: uuid, userId: uuid, deliveredSeq: seq, readSeq: seq, at: timestamp }),
  },
  typing: {
    summary: 'Somebody types or stopped',
    payload: z.object({ conversationId: uuid, userId: uuid, on: z.boolean() }),
  },
  presence: { summary: 'Presence of somebody you share a conversation with or watch', payload: presence },
  'conversation:me': {
    summary: 'Your own view of a conversation changed on another device',
    payload: z.object({ conversationId: uuid, me: objects.conversation.shape.me }),
  },
  'conversation:muted': {
    summary: 'You sent too fast and are muted in a room until then',
    payload: z.object({ conversationId: uuid, until: timestamp }),
  },
  'message:starred': {
    summary: 'You starred a message, or no longer do, on one of your devices',
    payload: z.object({ messageId, on: z.boolean() }),
  },
  'media:updated': { summary: 'An upload changed its state', payload: z.object({ media: objects.media }) },
  'session:revoked': { summary: 'This session has ended; the socket closes', payload: none },
  'server:draining': {
    summary:
      'This server goes away: come back after the given time. Whoever acknowledges it connects elsewhere then, and is left connected here for up to 5 s more, so as not to be away meanwhile',
    payload: z.object({ retryAfterMs: z.int() }),
  },
} as const satisfies Record<string, ServerEvent>;

export type ClientEventName = keyof typeof clientEvents;
export type ServerEventName = keyof typeof serverEvents;
export type ClientEventPayload<E extends ClientEventName> = z.output<(typeof clientEvents)[E]['payload']>;
export type ClientEventAck<E extends ClientEventName> = z.output<(typeof clientEvents)[E]['ack']>;
export type ServerEventPayload<E extends ServerEventName> = z.output<(typeof serverEvents)[E]['payload']>;
