import type { Lane } from './lane.ts';

export type BatchPlan = { lanes: Lane[]; ordered: boolean };

const maxUnordered = 64;
const maxOrdered = 64;
/** From this many waiting on, one conversation is hot enough for a batch of its own. */
const hotQueue = 8;

/**
 * Decides what the next batch holds: one entry each of many conversations, or consecutive entries of one hot
 * conversation; never both, since a refused entry must leave no hole.
 */
export function planBatch(ready: ReadonlySet<Lane>): BatchPlan | undefined {
  let hottest: Lane | undefined;
  for (const lane of ready) {
    if (!hottest || lane.queue.length > hottest.queue.length) hottest = lane;
  }
  if (!hottest) return undefined;
  if (hottest.queue.length >= hotQueue && hottest.queue.length > ready.size) {
    return { lanes: [hottest], ordered: true };
  }
  const lanes: Lane[] = [];
  for (const lane of ready) {
    if (lanes.push(lane) === maxUnordered) break;
  }
  return { lanes, ordered: false };
}

/** How many entries of its lane an ordered batch may hold. */
export const orderedLimit = maxOrdered;
