import { randomUUID } from 'node:crypto';
import type { RouteId } from '@bluewave/api/routes';
import type { ClientEventName } from '@bluewave/api/socket-events';
import { on, type Operation } from './operation.ts';
import type { Scene } from './scene.ts';

const nobody: Operation = { about: 'nobody' };
const oneself: Operation = { about: 'oneself' };

const message = () => ({ clientMsgId: randomUUID(), text: 'a word' });
const everyMember = '404 404 404 | 200 200 | 200 200 200';
const everyMemberDone = '404 404 404 | 204 204 | 204 204 204';
const moderators = '404 404 404 | 403 403 | 200 200 200';
const moderatorsDone = '404 404 404 | 403 403 | 204 204 204';
const admins = '404 404 404 | 403 403 | 403 200 200';
const notInDirect = '409 409 409';

/**
 * Who may do what: every REST operation, once. The columns are stranger, exMember, banned | member, author | moderator,
 * admin, owner of a group, and (`direct`) peer, blocked, blocker of a direct conversation. Tests are generated from it;
 * an operation that is missing here does not compile.
 */
export const restTable: Record<RouteId, Operation> = {
  'auth.register': nobody,
  'auth.login': nobody,
  'auth.requestCode': nobody,
  'auth.verifyCode': nobody,
  'auth.refresh': nobody,
  'auth.logout': oneself,
  'auth.logoutAll': oneself,
  'auth.me': oneself,
  'users.me': oneself,
  'users.search': oneself,
  'users.get': oneself,
  'stars.list': oneself,
  'messages.unread': oneself,
  'contacts.list': oneself,
  'contacts.put': oneself,
  'contacts.delete': oneself,
  'blocks.list': oneself,
  'blocks.put': oneself,
  'blocks.delete': oneself,
  'devices.list': oneself,
  'devices.put': oneself,
  'devices.delete': oneself,
  'devices.putPushToken': oneself,
  'devices.deletePushToken': oneself,
  'media.uploadUrl': oneself,
  'media.confirm': oneself,
  'media.get': oneself,
  'media.delete': oneself,
  'media.content': oneself,
  'media.thumbnail': oneself,
  'push.test': oneself,
  'conversations.create': oneself,
  'conversations.list': oneself,
  'conversations.discover': oneself,
  'messages.search': oneself,
  sync: oneself,
  health: nobody,
  limits: nobody,
  'conversations.get': on('GET', '/conversations/{c}', everyMember, { direct: '200 200 200' }),
  'conversations.update': on('PATCH', '/conversations/{c}', admins, {
    body: () => ({ name: 'Another name' }),
    direct: notInDirect,
  }),
  'conversations.delete': on('DELETE', '/conversations/{c}', '404 404 404 | 403 403 | 403 403 204', {
    direct: notInDirect,
  }),
  'conversations.join': on('POST', '/conversations/{c}/join', '404 404 404 | 200 200 | 200 200 200', {
    body: () => ({}),
  }),
  'conversations.leave': on('POST', '/conversations/{c}/leave', '404 404 404 | 204 204 | 204 204 409', {
    body: () => ({}),
    direct: notInDirect,
  }),
  'conversations.transfer': on('POST', '/conversations/{c}/owner', '404 404 404 | 403 403 | 403 403 200', {
    body: targetId,
  }),
  'conversations.me': on('PATCH', '/conversations/{c}/me', everyMember, {
    body: () => ({ archived: true }),
    direct: '200 200 200',
  }),
  'members.list': on('GET', '/conversations/{c}/members', everyMember, { direct: '200 200 200' }),
  'members.add': on('POST', '/conversations/{c}/members', admins, {
    body: ({ people }) => ({ userIds: [people.exMember.id] }),
    direct: notInDirect,
  }),
  'members.update': on('PATCH', '/conversations/{c}/members/{t}', admins, { body: () => ({ role: 'moderator' }) }),
  'members.remove': on('DELETE', '/conversations/{c}/members/{t}', moderatorsDone, { direct: notInDirect }),
  'bans.list': on('GET', '/conversations/{c}/bans', moderators),
  'bans.put': on('PUT', '/conversations/{c}/bans/{t}', moderatorsDone, { body: () => ({}) }),
  'bans.delete': on('DELETE', '/conversations/{c}/bans/{t}', moderatorsDone),
  'messages.send': on('POST', '/conversations/{c}/messages', '404 404 404 | 201 201 | 201 201 201', {
    body: message,
    direct: '201 403 201',
  }),
  'messages.list': on('GET', '/conversations/{c}/messages', everyMember, { direct: '200 200 200' }),
  'entries.list': on('GET', '/conversations/{c}/entries', everyMember, { direct: '200 200 200' }),
  'messages.read': on('POST', '/conversations/{c}/read', everyMemberDone, { body: firstSeq, direct: '204 204 204' }),
  'messages.delivered': on('POST', '/conversations/{c}/delivered', everyMemberDone, {
    body: firstSeq,
    direct: '204 204 204',
  }),
  'messages.get': on('GET', '/messages/{m}', everyMember, { direct: '200 200 200' }),
  'messages.edit': on('PATCH', '/messages/{m}', '404 404 404 | 403 200 | 403 403 403', {
    body: () => ({ text: 'another word' }),
  }),
  'messages.delete': on('DELETE', '/messages/{m}', '404 404 404 | 403 204 | 204 204 204'),
  'messages.history': on('GET', '/messages/{m}/history', everyMember),
  'messages.thread': on('GET', '/messages/{m}/thread', everyMember),
  'messages.info': on('GET', '/messages/{m}/info', '404 404 404 | 403 200 | 200 200 200'),
  'messages.forward': on('POST', '/messages/{m}/forward', everyMember, {
    body: ({ elsewhere }) => ({ conversationIds: [elsewhere] }),
  }),
  'messages.report': on('POST', '/messages/{m}/report', '404 404 404 | 202 202 | 202 202 202', {
    body: () => ({ reason: 'spam' }),
  }),
  'reactions.list': on('GET', '/messages/{m}/reactions', everyMember),
  'reactions.put': on('PUT', '/messages/{m}/reactions/%F0%9F%91%8D', everyMemberDone, { direct: '204 403 204' }),
  'reactions.delete': on('DELETE', '/messages/{m}/reactions/%F0%9F%91%8D', everyMemberDone),
  'pins.list': on('GET', '/conversations/{c}/pins', everyMember),
  'pins.put': on('PUT', '/messages/{m}/pin', moderatorsDone, { direct: '204 403 204' }),
  'pins.delete': on('DELETE', '/messages/{m}/pin', moderatorsDone),
  'stars.put': on('PUT', '/messages/{m}/star', everyMemberDone, { direct: '204 204 204' }),
  'stars.delete': on('DELETE', '/messages/{m}/star', everyMemberDone, { direct: '204 204 204' }),
};

/** The same for socket events; the payload goes where the body goes, and 200 is `ok: true`. */
export const socketTable: Record<ClientEventName, Operation> = {
  'message:send': on('', '', everyMember, {
    body: (scene) => ({ conversationId: scene.conversationId, ...message() }),
    direct: '200 403 200',
  }),
  'message:edit': on('', '', '404 404 404 | 403 200 | 403 403 403', {
    body: ({ messageId }) => ({ messageId, text: 'another word' }),
  }),
  'message:delete': on('', '', '404 404 404 | 403 200 | 200 200 200', { body: ({ messageId }) => ({ messageId }) }),
  'message:react': on('', '', everyMember, {
    body: ({ messageId }) => ({ messageId, emoji: '👍', on: true }),
    direct: '200 403 200',
  }),
  'message:read': on('', '', everyMember, { body: inConversation({ seq: 1 }), direct: '200 200 200' }),
  'message:delivered': on('', '', everyMember, { body: inConversation({ seq: 1 }), direct: '200 200 200' }),
  'typing:start': on('', '', everyMember, { body: inConversation({}) }),
  'typing:stop': on('', '', everyMember, { body: inConversation({}) }),
  'conversation:subscribe': on('', '', everyMember, { body: inConversation({}), direct: '200 200 200' }),
  'conversation:unsubscribe': oneself,
  'presence:set': oneself,
  'presence:watch': oneself,
  'presence:ping': oneself,
  sync: oneself,
};

function targetId({ people }: Scene): unknown {
  return { userId: people.target.id };
}

function firstSeq(): unknown {
  return { seq: 1 };
}

function inConversation(more: object): (scene: Scene) => unknown {
  return ({ conversationId }) => ({ conversationId, ...more });
}
