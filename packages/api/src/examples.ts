import type { RouteId } from './routes.ts';

const device = { name: 'Ada’s laptop', platform: 'web' };
const uploadId = '0190a8f2-9d10-7c55-8b3e-1a6f2d4c7e90';
const userId = '0190a8f2-7c1e-7b3a-9d55-3f1f6f0e9a11';
const clientMsgId = '0190a8f3-0b1c-7d4e-a5f6-9c8b7a6d5e4f';

/** One body for each operation that has a meaningful one; shown in the documentation, checked against the schemas. */
export const bodyExamples: Partial<Record<RouteId, unknown>> = {
  'auth.register': {
    email: 'ada@example.com',
    username: 'ada',
    password: 'correct horse battery',
    displayName: 'Ada Lovelace',
    device,
  },
  'auth.login': { identifier: 'ada', password: 'correct horse battery', device },
  'auth.requestCode': { identifier: 'ada@example.com' },
  'auth.verifyCode': { identifier: 'ada@example.com', code: '123456', device },
  'auth.refresh': { refreshToken: 'the refresh token of the last answer' },
  'auth.logout': {},
  'auth.logoutAll': {},
  'devices.put': { name: 'Ada’s phone', platform: 'ios', appVersion: '2.1.0' },
  'devices.putPushToken': { provider: 'fcm', token: 'the registration token of the device' },
  'contacts.put': { alias: 'The Countess' },
  'blocks.put': {},
  'conversations.create': { type: 'group', name: 'Engines', memberIds: [userId] },
  'conversations.update': { name: 'Analytical engines', slowModeSeconds: 10 },
  'conversations.join': {},
  'conversations.leave': {},
  'conversations.transfer': { userId },
  'conversations.me': { archived: true, mutedUntil: '2026-12-31T22:00:00.000Z', notify: 'mentions' },
  'members.add': { userIds: [userId] },
  'members.update': { role: 'moderator' },
  'bans.put': { reason: 'Advertising', until: '2030-01-31T12:00:00.000Z' },
  'messages.send': { clientMsgId, text: 'Hello' },
  'messages.read': { seq: 42 },
  'messages.delivered': { seq: 42 },
  'messages.forward': { conversationIds: ['6d5f0c2e-44a5-4c0e-8f0e-2f2b7a1c9d3e'] },
  'messages.report': { reason: 'spam', note: 'The same link in every group' },
  'messages.edit': { text: 'Hello, world' },
  sync: { cursors: { '6d5f0c2e-44a5-4c0e-8f0e-2f2b7a1c9d3e': 42 }, limit: 200 },
  'media.uploadUrl': { fileName: 'engine.png', contentType: 'image/png', size: 48_213, purpose: 'message' },
  'media.confirm': { uploadId },
  'push.test': {},
};
