import type { TokenMessage } from 'firebase-admin/messaging';
import type { PushMessage } from '../notifications/provider.ts';

/** How long FCM keeps a notification for a phone that is off: 24 hours. */
const keptSeconds = 24 * 3_600;

/**
 * A notification as FCM takes it. A second one with the same collapse id replaces the first on every platform, waiting or
 * shown: `collapseKey` and `tag` on Android, `apns-collapse-id` on iOS, `tag` in browsers.
 * @param now milliseconds since the epoch.
 */
export function fcmMessage(token: string, message: PushMessage, now: number): TokenMessage {
  const { title, body, collapseId, data } = message;
  return {
    token,
    notification: { title, body },
    data,
    android: {
      collapseKey: collapseId,
      priority: 'high',
      ttl: keptSeconds * 1_000,
      notification: { tag: collapseId },
    },
    apns: {
      headers: {
        'apns-collapse-id': collapseId,
        'apns-priority': '10',
        'apns-expiration': String(Math.floor(now / 1_000) + keptSeconds),
      },
      payload: { aps: { sound: 'default', ...(data['conversationId'] ? { threadId: data['conversationId'] } : {}) } },
    },
    webpush: {
      headers: { TTL: String(keptSeconds), Urgency: 'high' },
      notification: { tag: collapseId },
    },
  };
}
