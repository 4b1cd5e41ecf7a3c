import type { StoredUuid } from '@bluewave/mongo/uuid';
import { mostUnread } from '../reading/read-store.ts';
import type { EntryAddress } from './entry-document.ts';

/**
 * Lookups into the log from a list of conversations: one index seek for each, in one command. The bounds are written
 * as variables because only then an `$expr` on `_id` uses its index; a test reads the plans.
 */
const lowest = (c: string) => ({ c, s: 0 });
const highest = (c: string) => ({ c, s: Number.MAX_SAFE_INTEGER });

const within = {
  $match: { $expr: { $and: [{ $gt: ['$_id', '$$low'] }, { $lte: ['$_id', '$$high'] }] } },
};

/** Adds `last: [{seq, at}]`, the last entry. @param c path of the conversation id, e.g. `$c`. */
export const headPipeline = (c: string) => [lookUpHead(c, 'last'), { $project: { _id: 0, c: 1, last: 1 } }];

/** Adds `as: [{seq, at}]`, the last entry, to any documents. @param c path of the conversation id, e.g. `$c`. */
export const lookUpHead = (c: string, as: string) => ({
  $lookup: {
    from: 'entries',
    let: { low: lowest(c), high: highest(c) },
    pipeline: [within, { $sort: { _id: -1 as const } }, { $limit: 1 }, { $project: { _id: 0, seq: '$_id.s', at: 1 } }],
    as,
  },
});

/** Adds `last`, the last message that was not deleted, to documents whose `_id` is a conversation. */
export const lastMessagePipeline = [lookUpLastMessage(lowest('$_id'), '$_id'), { $project: { _id: 0, last: 1 } }];

/** @param low the address before the first one that may be shown. */
function lookUpLastMessage(low: object, c: string) {
  return {
    $lookup: {
      from: 'entries',
      let: { low, high: highest(c) },
      pipeline: [
        within,
        { $match: { 'body.type': 'message:new', 'body.deletedAt': null } },
        { $sort: { _id: -1 as const } },
        { $limit: 1 },
      ],
      as: 'last',
    },
  };
}

const callsMe = {
  $or: [{ $eq: ['$body.mentionsAll', true] }, { $in: ['$$me', { $ifNull: ['$mentions', []] }] }],
};

/** Adds `unread: [Unread]` to memberships: messages of others after the read pointer that were not deleted. */
export const unreadPipeline = [lookUpUnread(), { $project: { _id: 0, c: 1, unread: 1 } }];

function lookUpUnread() {
  return {
    $lookup: {
      from: 'entries',
      let: {
        low: { c: '$c', s: { $max: ['$readSeq', '$joinedSeq', { $subtract: ['$firstSeq', 1] }] } },
        high: highest('$c'),
        me: '$u',
      },
      pipeline: [
        within,
        {
          $match: {
            'body.type': 'message:new',
            'body.deletedAt': null,
            $expr: { $ne: ['$senderId', '$$me'] },
          },
        },
        { $limit: mostUnread },
        { $group: { _id: null, count: { $sum: 1 }, mentions: { $sum: { $cond: [callsMe, 1, 0] } } } },
        { $project: { _id: 0, count: 1, mentions: 1 } },
      ],
      as: 'unread',
    },
  };
}

/** Adds to memberships `shared` of their conversations, and `pair`, the two members, ever, of a direct one. */
export const sharedPipeline = [
  { $lookup: { from: 'conversations', localField: 'c', foreignField: '_id', as: 'shared' } },
  // No member has this id: the others of a group are not looked up.
  { $set: { direct: { $cond: [{ $eq: [{ $first: '$shared.type' }, 'direct'] }, '$c', null] } } },
  { $lookup: { from: 'members', localField: 'direct', foreignField: 'c', as: 'pair' } },
];

/**
 * Makes of memberships one document: `me`, all of them, `shared` of their conversations, and `pairs`, the two members, ever,
 * of those that are direct. Two look-ups in all cost half of what two for each do.
 */
export const togetherPipeline = [
  { $group: { _id: null, me: { $push: '$$ROOT' } } },
  { $lookup: { from: 'conversations', localField: 'me.c', foreignField: '_id', as: 'shared' } },
  {
    $set: {
      direct: {
        $map: { input: { $filter: { input: '$shared', cond: { $eq: ['$$this.type', 'direct'] } } }, in: '$$this._id' },
      },
    },
  },
  {
    $lookup: {
      from: 'members',
      localField: 'direct',
      foreignField: 'c',
      pipeline: [{ $project: { _id: 0, c: 1, u: 1 } }],
      as: 'pairs',
    },
  },
  { $unset: 'direct' },
];

/** Adds to memberships all that a list shows of their conversations: also `head`, `last` and `unread`. */
export const detailsPipeline = [
  ...sharedPipeline,
  lookUpHead('$c', 'head'),
  lookUpLastMessage({ c: '$c', s: { $subtract: ['$firstSeq', 1] } }, '$c'),
  lookUpUnread(),
];

const isThere = { $and: [{ $eq: ['$body.type', 'message:new'] }, { $eq: ['$body.deletedAt', null] }] };

/**
 * Of these entries, by conversation: the `head`, the `last` message that was not deleted, and the seqs of `others`' messages and of
 * those among them that call the user.
 */
export function withinPipeline(addresses: readonly EntryAddress[], me: StoredUuid) {
  const isOthers = { $and: [isThere, { $ne: ['$senderId', me] }] };
  const calls = { $or: [{ $eq: ['$body.mentionsAll', true] }, { $in: [me, { $ifNull: ['$mentions', []] }] }] };
  return [
    { $match: { _id: { $in: [...addresses] } } },
    {
      $group: {
        _id: '$c',
        head: { $max: { seq: '$_id.s', at: '$at' } },
        last: { $max: { $cond: [isThere, { seq: '$_id.s', entry: '$$ROOT' }, null] } },
        others: { $push: { $cond: [isOthers, '$_id.s', '$$REMOVE'] } },
        calls: { $push: { $cond: [{ $and: [isOthers, calls] }, '$_id.s', '$$REMOVE'] } },
      },
    },
  ];
}
