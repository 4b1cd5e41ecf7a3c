import { isDuplicateKey } from '@bluewave/mongo/mongo-failure';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import { newId } from '@bluewave/runtime/ids';
import {
  type Claim,
  claimMs,
  deliveryId,
  type DeliveryKey,
  type DeliveryState,
  type DeliveryStore,
} from '../notifications/delivery-store.ts';
import { read, run, write } from './operation.ts';
import type { DeliveryDocument, PushCollections } from './push-collections.ts';

const chunkSize = 500;

const idOf = (key: DeliveryKey): DeliveryDocument['_id'] => ({
  c: storeUuid(key.conversationId),
  s: key.seq,
  u: storeUuid(key.userId),
  d: storeUuid(key.deviceId),
});

const keyOf = ({ c, s, u, d }: DeliveryDocument['_id']): DeliveryKey => ({
  conversationId: readUuid(c),
  seq: s,
  userId: readUuid(u),
  deviceId: readUuid(d),
});

/** Free to be taken: new, due, or held by a process that did not renew. By the server's clock. */
const isFree = {
  $switch: {
    branches: [
      { case: { $eq: ['$state', 'done'] }, then: false },
      { case: { $eq: ['$state', 'sending'] }, then: { $lte: ['$until', '$$NOW'] } },
      { case: { $eq: ['$state', 'waiting'] }, then: { $lte: ['$notBefore', '$$NOW'] } },
    ],
    default: true,
  },
};

const held = { state: 'sending', $expr: { $gt: ['$until', '$$NOW'] } } as const;
const claimEnd = { $add: ['$$NOW', claimMs] };

/** Takes a free delivery for `holder` and leaves any other as it is. */
const claimBy = (holder: string) => {
  const ifFree = (taken: unknown, field: string) => ({ $cond: ['$free', taken, `$${field}`] });
  return [
    { $set: { free: isFree } },
    {
      $set: {
        state: ifFree('sending', 'state'),
        attempts: ifFree({ $add: [{ $ifNull: ['$attempts', 0] }, 1] }, 'attempts'),
        holder: ifFree(holder, 'holder'),
        until: ifFree(claimEnd, 'until'),
        at: ifFree('$$NOW', 'at'),
      },
    },
    { $unset: 'free' },
  ];
};

/** Attempts in MongoDB. The `_id` decides who attempts; all times are of the server's clock, so processes' may differ. */
export function createMongoDeliveryStore({ deliveries }: PushCollections): DeliveryStore {
  const mine = (claim: Claim) => ({ _id: idOf(claim.key), holder: claim.holder, state: 'sending' as const });

  return {
    statesOf: async (keys) => {
      const states = new Map<string, DeliveryState>();
      for (let start = 0; start < keys.length; start += chunkSize) {
        const ids = keys.slice(start, start + chunkSize).map(idOf);
        const found = await run(
          deliveries
            .aggregate<Row>([{ $match: { _id: { $in: ids } } }, { $project: rowShape }], { maxTimeMS: read.maxTimeMS })
            .toArray(),
        );
        for (const row of found) states.set(deliveryId(keyOf(row._id)), stateOf(row));
      }
      return states;
    },

    claim: async (key) => {
      const holder = newId();
      const asked = performance.now();
      try {
        const stored = await run(
          deliveries.findOneAndUpdate({ _id: idOf(key) }, claimBy(holder), {
            ...write,
            upsert: true,
            returnDocument: 'after',
          }),
        );
        if (stored?.holder !== holder) return undefined;
        return { key, holder, attempt: stored.attempts, expiresAt: asked + claimMs };
      } catch (error) {
        // Two made it at once, and the other was first.
        if (isDuplicateKey(error)) return undefined;
        throw error;
      }
    },

    renew: async (claim) => {
      const asked = performance.now();
      const renewed = await run(deliveries.updateOne(mine(claim), [{ $set: { until: claimEnd, at: '$$NOW' } }], write));
      return renewed.matchedCount === 1 ? { ...claim, expiresAt: asked + claimMs } : undefined;
    },

    finish: async (claim, outcome) => {
      const done = { state: 'done', outcome, at: '$$NOW' };
      await run(deliveries.updateOne(mine(claim), [{ $set: done }, { $unset: ['holder', 'until'] }], write));
    },

    postpone: async (claim, dueInMs, reason) => {
      const waiting = { state: 'waiting', notBefore: { $add: ['$$NOW', Math.round(dueInMs)] }, reason, at: '$$NOW' };
      await run(deliveries.updateOne(mine(claim), [{ $set: waiting }, { $unset: ['holder', 'until'] }], write));
    },

    sendingTo: async (devices) => {
      const any = devices.map(({ userId, deviceId }) => ({ '_id.u': storeUuid(userId), '_id.d': storeUuid(deviceId) }));
      const found = await run(
        deliveries.findOne(
          { $and: [{ $or: any.map((device) => ({ ...device, state: 'sending' as const })) }, held] },
          read,
        ),
      );
      return found !== null;
    },
  };
}

type Row = { _id: DeliveryDocument['_id']; state: DeliveryDocument['state']; leftMs: number | null };

const rowShape = {
  state: 1,
  leftMs: { $subtract: [{ $ifNull: ['$until', '$notBefore'] }, '$$NOW'] },
};

function stateOf({ state, leftMs }: Row): DeliveryState {
  const left = Math.max(0, leftMs ?? 0);
  switch (state) {
    case 'done':
      return { kind: 'done' };
    case 'sending':
      return { kind: 'sending', leaseMs: left };
    case 'waiting':
      return { kind: 'waiting', dueInMs: left };
  }
}
