import { AppError } from '@bluewave/errors/app-error';
import type { Logger } from '@bluewave/runtime/logger';
import type { DeviceToken } from '../tokens/device-token.ts';
import { coalesced } from './coalesced.ts';
import { type CommittedMessage, messageIdOf } from './committed-message.ts';
import { decide } from './decide.ts';
import { deliver, type Delivered, type DeliverParts } from './deliver.ts';
import { deliveryId, type DeliveryState } from './delivery-store.ts';
import { notificationOf } from './notification-of.ts';
import type { Audience, Peers, Recipient } from './peers.ts';
import { createLimit } from './send-limit.ts';

export type NotifyParts = DeliverParts & {
  peers: Peers;
  /** Sends at once in this process. */
  maxSends: number;
  now(): number;
  /** Hears how long after its commit a message was accepted for a device. */
  onAccepted(lagMs: number): void;
};

/** What becomes of an entry: finished, or to be looked at again. */
export type Notified = { kind: 'done' } | { kind: 'again'; afterMs: number };

/** After this long no further send of one look begins: the entry must not be taken for lost. */
const lookMs = 4_000;
const soonestMs = 100;
const longestMs = 60_000;

type Candidate = { recipient: Recipient; target: DeviceToken };

/**
 * Notifies the devices that need it of a committed message. Called again and again for the same message until it answers
 * `done`; what was attempted is remembered by (entry, device), so devices progress independently of each other and of
 * restarts. Rejects when a peer or a store is away: then it is to be called again, too.
 */
export function createNotifier(parts: NotifyParts): (message: CommittedMessage, look: number) => Promise<Notified> {
  const anyTokens = coalesced(() => parts.tokens.any());
  const limit = createLimit(parts.maxSends);

  return async (message, look) => {
    // Most platforms begin without push: one question then answers for all entries of a moment.
    if (!(await anyTokens())) return { kind: 'done' };
    const audience = await audienceOf(parts.peers, message);
    if (!audience || audience.gone) return { kind: 'done' };
    const candidates = await candidatesOf(parts, message, audience);
    if (candidates.length === 0) return { kind: 'done' };

    const due: Candidate[] = [];
    const waits: number[] = [];
    const [states, connected] = await Promise.all([
      parts.deliveries.statesOf(candidates.map(({ target }) => keyOf(message, target))),
      connectedDevices(parts, candidates),
    ]);
    for (const candidate of candidates) {
      const decision = decideFor(candidate, { message, look, states, connected, now: parts.now() });
      if (decision.kind === 'send') due.push(candidate);
      else if (decision.kind === 'wait') waits.push(decision.ms);
    }
    if (due.length > 0) {
      const sent = await sendAll(parts, limit, message, audience, due);
      for (const one of sent) if (one.kind === 'later') waits.push(one.ms);
    }
    if (waits.length === 0) return { kind: 'done' };
    return { kind: 'again', afterMs: Math.min(longestMs, Math.max(soonestMs, Math.min(...waits))) };
  };
}

async function audienceOf(peers: Peers, message: CommittedMessage): Promise<Audience | undefined> {
  try {
    return await peers.audienceOf(message, { traceId: message.traceId });
  } catch (error) {
    // The whole conversation was deleted since: nobody is left to tell.
    if (error instanceof AppError && (error.code === 'NOT_FOUND' || error.code === 'CONVERSATION_DELETED')) {
      return undefined;
    }
    throw error;
  }
}

async function candidatesOf(parts: NotifyParts, message: CommittedMessage, audience: Audience): Promise<Candidate[]> {
  const recipients = new Map(
    audience.recipients
      .filter(({ userId, readSeq }) => userId !== message.senderId && readSeq < message.seq)
      .map((recipient) => [recipient.userId, recipient]),
  );
  const targets = await parts.tokens.ofUsers([...recipients.keys()]);
  return targets.flatMap((target) => {
    const recipient = recipients.get(target.userId);
    return recipient ? [{ recipient, target }] : [];
  });
}

/** Presence is a hint: when it cannot be read, everybody counts as not connected. */
async function connectedDevices(parts: NotifyParts, candidates: Candidate[]): Promise<Map<string, Set<string>>> {
  try {
    return await parts.peers.connectedDevices([...new Set(candidates.map(({ target }) => target.userId))]);
  } catch (error) {
    logPresence(parts.log, error);
    return new Map();
  }
}

function logPresence(log: Logger, error: unknown): void {
  log.warn({ err: error }, 'presence cannot be read: devices count as not connected');
}

function decideFor(
  { recipient, target }: Candidate,
  look: {
    message: CommittedMessage;
    look: number;
    states: Map<string, DeliveryState>;
    connected: Map<string, Set<string>>;
    now: number;
  },
) {
  return decide({
    seq: look.message.seq,
    recipient,
    connected: look.connected.get(target.userId)?.has(target.deviceId) === true,
    firstLook: look.look <= 1,
    ageMs: look.now - look.message.atMs,
    earlier: look.states.get(deliveryId(keyOf(look.message, target))),
  });
}

async function sendAll(
  parts: NotifyParts,
  limit: <T>(work: () => Promise<T>) => Promise<T>,
  message: CommittedMessage,
  audience: Audience,
  due: Candidate[],
): Promise<Delivered[]> {
  const senderName = await parts.peers.displayNameOf(message.senderId, { traceId: message.traceId });
  const notification = notificationOf(message, audience, senderName);
  const until = performance.now() + lookMs;
  const one = async ({ target }: Candidate): Promise<Delivered> => {
    if (performance.now() > until) return { kind: 'later', ms: 0 };
    const delivered = await deliver(parts, keyOf(message, target), notification, message.traceId);
    if (delivered.kind === 'done' && delivered.outcome === 'accepted') {
      parts.onAccepted(Math.max(0, parts.now() - message.atMs));
    }
    return delivered;
  };
  const ended = await Promise.allSettled(due.map((candidate) => limit(() => one(candidate))));
  return ended.map((result) => {
    if (result.status === 'fulfilled') return result.value;
    parts.log.warn({ err: result.reason, traceId: message.traceId, messageId: messageIdOf(message) }, 'a look failed');
    return { kind: 'later', ms: 1_000 };
  });
}

const keyOf = (message: CommittedMessage, target: DeviceToken) => ({
  conversationId: message.conversationId,
  seq: message.seq,
  userId: target.userId,
  deviceId: target.deviceId,
});
