import { createHmac } from 'node:crypto';
import type { Clock } from '@bluewave/runtime/clock';
import type { CodeSender } from '../codes/code-delivery.ts';

const answerMs = 5_000;

/**
 * Hands codes to a webhook of the operator, who sends SMS or mail: `POST {channel, to, code, expiresAt}` (ISO 8601)
 * with the headers `bluewave-timestamp` (seconds) and `bluewave-signature: v1=<hex>`, the HMAC-SHA-256 of
 * `<timestamp>.<body>` under the shared secret. Any 2xx within 5 s means taken.
 */
export function createWebhookSender(options: { url: string; secret: string; clock: Clock }): CodeSender {
  return {
    reaches: () => true,
    send: async ({ channel, to, code, expiresAt }) => {
      const body = JSON.stringify({ channel, to, code, expiresAt: new Date(expiresAt).toISOString() });
      const timestamp = Math.floor(options.clock() / 1000).toString();
      const response = await fetch(options.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'bluewave-timestamp': timestamp,
          'bluewave-signature': `v1=${signWebhook(options.secret, timestamp, body)}`,
        },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(answerMs),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the code webhook answered ${response.status}`);
    },
    close: () => undefined,
  };
}

/** Hex HMAC-SHA-256 of `<timestamp>.<body>`. */
export function signWebhook(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}
