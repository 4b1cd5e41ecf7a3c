import { AppError } from '@bluewave/errors/app-error';
import type { DeviceToken } from '../tokens/device-token.ts';
import { coalesced } from './coalesced.ts';
import { type CommittedMessage, messageIdOf } from './committed-message.ts';
import { decide, type Decision } from './decide.ts';
import { deliver, type Delivered, type DeliverParts } from './deliver.ts';
import { deliveryId, type DeliveryKey, type DeliveryState } from './delivery-store.ts';
import { gathered } from './gathered.ts';
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

const done: Notified = { kind: 'done' };
/** After this long no further send of one look begins: the entry must not be taken for lost. */
const lookMs = 4_000;
const soonestMs = 100;
const longestMs = 60_000;
/** Users of one look-up of tokens. */
const maxUsers = 500;

/** One look at one message. */
type Look = {
  message: CommittedMessage;
  first: boolean;
  targets: DeviceToken[];
  states: Map<string, DeliveryState>;
  connected: Map<string, Set<string>>;
};
type Limit = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Notifies the devices that need it of a committed message. Called again and again for the same message until it answers
 * `done`; what was attempted is remembered by (entry, device), so devices progress independently of each other and of
 * restarts. Rejects when a peer or a store is away: then it is to be called again, too.
 *
 * Most messages notify nobody, and most of those are found out without asking chat: the entry names its recipients, and
 * they have no tokens, or all their devices are connected.
 */
export function createNotifier(parts: NotifyParts): (message: CommittedMessage, look: number) => Promise<Notified> {
  const anyTokens = coalesced(() => parts.tokens.any());
  const tokensOf = gathered(async (userIds: string[]) => {
    const byUser = new Map<string, DeviceToken[]>();
    for (const token of await parts.tokens.ofUsers([...new Set(userIds)])) {
      byUser.set(token.userId, [...(byUser.get(token.userId) ?? []), token]);
    }
    return (userId: string): DeviceToken[] => byUser.get(userId) ?? [];
  }, maxUsers);
  const limit = createLimit(parts.maxSends);

  return async (message, count) => {
    let audience: Audience | undefined;
    let userIds = message.recipientIds;
    if (!userIds) {
      if (!(await anyTokens())) return done;
      audience = await audienceOf(parts.peers, message);
      userIds = audience?.recipients.map(({ userId }) => userId) ?? [];
    }
    const others = userIds.filter((userId) => userId !== message.senderId);
    const targets = (await Promise.all(others.map(tokensOf))).flat();
    if (targets.length === 0) return done;

    const look = await lookAt(parts, message, targets, count <= 1);
    // Before chat is asked: nobody has read anything, everybody is still a member.
    const without = decideAll(parts, look, undefined);
    if (without.due.length === 0) return again(without.waits);
    audience ??= await audienceOf(parts.peers, message);
    if (!audience || audience.gone) return done;

    const { due, waits } = decideAll(parts, look, audience);
    const sent = due.length === 0 ? [] : await sendAll(parts, limit, message, audience, due);
    return again([...waits, ...sent.flatMap((one) => (one.kind === 'later' ? [one.ms] : []))]);
  };
}

function again(waits: number[]): Notified {
  if (waits.length === 0) return done;
  return { kind: 'again', afterMs: Math.min(longestMs, Math.max(soonestMs, Math.min(...waits))) };
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

async function lookAt(
  parts: NotifyParts,
  message: CommittedMessage,
  targets: DeviceToken[],
  first: boolean,
): Promise<Look> {
  const [states, connected] = await Promise.all([
    parts.deliveries.statesOf(targets.map((target) => keyOf(message, target))),
    connectedDevices(parts, targets),
  ]);
  return { message, first, targets, states, connected };
}

/** Presence is a hint: when it cannot be read, everybody counts as not connected. */
async function connectedDevices(parts: NotifyParts, targets: DeviceToken[]): Promise<Map<string, Set<string>>> {
  try {
    return await parts.peers.connectedDevices([...new Set(targets.map(({ userId }) => userId))]);
  } catch (error) {
    parts.log.warn({ err: error }, 'presence cannot be read: devices count as not connected');
    return new Map();
  }
}

/** @param audience undefined decides as if nobody had left, received or read anything. */
function decideAll(
  parts: NotifyParts,
  look: Look,
  audience: Audience | undefined,
): { due: DeviceToken[]; waits: number[] } {
  const recipients = audience && new Map(audience.recipients.map((recipient) => [recipient.userId, recipient]));
  const due: DeviceToken[] = [];
  const waits: number[] = [];
  for (const target of look.targets) {
    const { userId } = target;
    const recipient = recipients ? recipients.get(userId) : { userId, readSeq: 0, deliveredSeq: 0 };
    if (!recipient) continue;
    const decision = decideFor(parts, look, target, recipient);
    if (decision.kind === 'send') due.push(target);
    else if (decision.kind === 'wait') waits.push(decision.ms);
  }
  return { due, waits };
}

function decideFor(parts: NotifyParts, look: Look, target: DeviceToken, recipient: Recipient): Decision {
  return decide({
    seq: look.message.seq,
    recipient,
    connected: look.connected.get(target.userId)?.has(target.deviceId) === true,
    firstLook: look.first,
    ageMs: parts.now() - look.message.atMs,
    earlier: look.states.get(deliveryId(keyOf(look.message, target))),
  });
}

async function sendAll(
  parts: NotifyParts,
  limit: Limit,
  message: CommittedMessage,
  audience: Audience,
  due: DeviceToken[],
): Promise<Delivered[]> {
  const senderName = await parts.peers.displayNameOf(message.senderId, { traceId: message.traceId });
  const notification = notificationOf(message, audience, senderName);
  const until = performance.now() + lookMs;
  const one = async (target: DeviceToken): Promise<Delivered> => {
    if (performance.now() > until) return { kind: 'later', ms: 0 };
    const delivered = await deliver(parts, keyOf(message, target), notification, message.traceId);
    if (delivered.kind === 'done' && delivered.outcome === 'accepted') {
      parts.onAccepted(Math.max(0, parts.now() - message.atMs));
    }
    return delivered;
  };
  const ended = await Promise.allSettled(due.map((target) => limit(() => one(target))));
  return ended.map((result) => {
    if (result.status === 'fulfilled') return result.value;
    parts.log.warn({ err: result.reason, traceId: message.traceId, messageId: messageIdOf(message) }, 'a look failed');
    return { kind: 'later', ms: 1_000 };
  });
}

const keyOf = (message: CommittedMessage, target: DeviceToken): DeliveryKey => ({
  conversationId: message.conversationId,
  seq: message.seq,
  userId: target.userId,
  deviceId: target.deviceId,
});
