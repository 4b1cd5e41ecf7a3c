import { sleep } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import type { DeviceToken } from '../tokens/device-token.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { backOffMs } from './back-off.ts';
import { type Claim, claimMs, type DeliveryKey, type DeliveryStore, type FinalOutcome } from './delivery-store.ts';
import { heldSend } from './held-send.ts';
import type { Peers } from './peers.ts';
import type { Provider, PushMessage, SendOutcome } from './provider.ts';

export type DeliverParts = {
  tokens: TokenStore;
  deliveries: DeliveryStore;
  provider: Provider;
  peers: Pick<Peers, 'hasSession'>;
  log: Logger;
  /** Hears of each attempt and how it ended. */
  onAttempt(outcome: SendOutcome['kind'] | 'withdrawn', tookMs: number): void;
  /** Wait after "too many" without a word of how long, milliseconds. */
  quotaPauseMs: number;
  /** In [0, 1). */
  random(): number;
};

/** Nothing more to do, or when to come back. */
export type Delivered = { kind: 'done'; outcome: FinalOutcome | 'withdrawn' } | { kind: 'later'; ms: number };

/**
 * One attempt to deliver one message to one device, at most one at a time over all processes. The order matters: claim,
 * then the token, then the session, then the send, then the record. A logout removes the token first and then waits for
 * claims, so nothing reaches a device that was told it is logged out; a process that dies before the record is followed
 * by another attempt. A failure of ours or a peer's postpones the delivery.
 */
export async function deliver(
  parts: DeliverParts,
  key: DeliveryKey,
  message: PushMessage,
  traceId: string,
): Promise<Delivered> {
  const { deliveries, tokens, peers, log } = parts;
  const claim = await deliveries.claim(key);
  if (!claim) return { kind: 'later', ms: claimMs };
  const where = { traceId, conversationId: key.conversationId, seq: key.seq, deviceId: key.deviceId };
  try {
    const target = await tokens.find(key);
    if (!target) return await finish(parts, claim, 'no-token');
    if (!(await peers.hasSession(key, { traceId }))) {
      await tokens.removeBinding(target);
      return await finish(parts, claim, 'logged-out');
    }
    return await attempt(parts, claim, target, message, where);
  } catch (error) {
    log.warn({ err: error, ...where }, 'a notification is postponed');
    return postpone(parts, claim, backOffMs(claim.attempt, parts.random), 'unavailable');
  }
}

async function attempt(
  parts: DeliverParts,
  first: Claim,
  target: DeviceToken,
  message: PushMessage,
  where: Record<string, unknown>,
): Promise<Delivered> {
  const started = performance.now();
  const sent = await heldSend(parts, first, target, message);
  const kind = sent.kind === 'withdrawn' ? 'withdrawn' : sent.outcome.kind;
  parts.onAttempt(kind, performance.now() - started);
  parts.log.info({ ...where, outcome: kind, attempt: first.attempt }, 'notification attempted');
  if (sent.kind === 'withdrawn') {
    await postpone(parts, sent.claim, 0, 'withdrawn');
    return { kind: 'later', ms: 0 };
  }
  const { claim, outcome } = sent;
  switch (outcome.kind) {
    case 'accepted':
      return finish(parts, claim, 'accepted');
    case 'unregistered':
      await parts.tokens.removeBinding(target);
      return finish(parts, claim, 'unregistered');
    case 'refused':
      parts.log.error({ ...where, reason: outcome.reason }, 'the provider will never take this notification');
      return finish(parts, claim, 'refused');
    case 'quota': {
      const waitMs = outcome.retryAfterMs ?? parts.quotaPauseMs;
      return postpone(parts, claim, Math.max(waitMs, backOffMs(claim.attempt, parts.random)), 'quota');
    }
    case 'failed':
      parts.log.warn({ ...where, reason: outcome.reason }, 'the provider did not take a notification');
      return postpone(parts, claim, backOffMs(claim.attempt, parts.random), 'failed');
  }
}

/** Records the end of a delivery; insists a little, since a record that is missing means another attempt. */
async function finish(parts: DeliverParts, claim: Claim, outcome: FinalOutcome): Promise<Delivered> {
  for (let left = 2; ; left--) {
    try {
      await parts.deliveries.finish(claim, outcome);
      return { kind: 'done', outcome };
    } catch (error) {
      if (left === 0) throw error;
      await sleep(200);
    }
  }
}

/** Gives the claim back for later. When even that fails, the claim runs out by itself. */
async function postpone(parts: DeliverParts, claim: Claim, ms: number, reason: string): Promise<Delivered> {
  try {
    await parts.deliveries.postpone(claim, ms, reason);
    return { kind: 'later', ms };
  } catch (error) {
    parts.log.warn({ err: error }, 'a claim could not be given back');
    return { kind: 'later', ms: Math.max(ms, claimMs) };
  }
}
