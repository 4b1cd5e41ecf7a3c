import { createHmac } from 'node:crypto';
import { AppError } from '@bluewave/errors/app-error';
import type { Clock } from '@bluewave/runtime/clock';
import { remainingMs } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import { z } from 'zod';
import type { Policies, PolicyCall } from './policies.ts';

export type WebhookOptions = { url: string; secret: string; clock: Clock; log: Logger };

/** The webhook answers within this, milliseconds: whoever waits for it has 2 s altogether. */
const answerMs = 1_000;
const maxAnswerBytes = 10_000;
const answerShape = z.object({ allow: z.boolean() });

/** What the webhook is asked. */
type Question =
  | { action: 'message'; actorId: string; userId: string }
  | { action: 'create'; actorId: string; type: 'group' | 'room'; userIds: readonly string[] }
  | { action: 'add'; actorId: string; conversationId: string; userIds: readonly string[] }
  | { action: 'join'; actorId: string; conversationId: string };

/**
 * Asks the product's own rules: `POST {action, actorId, ...}` with the headers `bluewave-timestamp` (seconds) and
 * `bluewave-signature: v1=<hex>`, the HMAC-SHA-256 of `<timestamp>.<body>` under the shared secret. 200 `{allow:
 * boolean}` within 1 s is an answer; everything else is none, and then nothing is done: UNAVAILABLE, which callers
 * repeat.
 */
export function webhookPolicies(options: WebhookOptions): Policies {
  const ask = (question: Question, call: PolicyCall): Promise<boolean> => askWebhook(options, question, call);
  return {
    mayMessage: (actorId, userId, call) => ask({ action: 'message', actorId, userId }, call),
    mayCreate: (actorId, type, userIds, call) => ask({ action: 'create', actorId, type, userIds }, call),
    mayAdd: (actorId, conversationId, userIds, call) => ask({ action: 'add', actorId, conversationId, userIds }, call),
    mayJoin: (actorId, conversationId, call) => ask({ action: 'join', actorId, conversationId }, call),
  };
}

async function askWebhook(options: WebhookOptions, question: Question, call: PolicyCall): Promise<boolean> {
  const { url, secret, clock, log } = options;
  const body = JSON.stringify(question);
  const timestamp = Math.floor(clock() / 1_000).toString();
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'bluewave-timestamp': timestamp,
        'bluewave-signature': `v1=${signQuestion(secret, timestamp, body)}`,
        'x-trace-id': call.traceId,
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(remainingMs(call.deadline, answerMs, clock())),
    });
    const text = await boundedText(response);
    if (response.status !== 200) throw new Error(`the policy webhook answered ${response.status}`);
    return answerShape.parse(JSON.parse(text)).allow;
  } catch (error) {
    log.warn({ err: error, traceId: call.traceId, action: question.action }, 'the policy webhook gave no answer');
    throw new AppError('UNAVAILABLE', 'It cannot be known at the moment whether you may do this. Try again.', {
      cause: error,
      retryAfterMs: 1_000,
    });
  }
}

/** The answer's text; an endless one is no answer. */
async function boundedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > maxAnswerBytes) throw new Error('the policy webhook answered too much');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Hex HMAC-SHA-256 of `<timestamp>.<body>`. */
export function signQuestion(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}
