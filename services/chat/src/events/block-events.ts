import { blockChanged, userEvent } from '@bluewave/events/codec';
import type { BusSubscription, EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { BlockCache } from '../people/block-cache.ts';
import type { Pair } from '../people/people-store.ts';

/**
 * Tells other chat processes that a block came or went, the gateways of the one who blocks, so that presence goes to the
 * right people, and those of the blocked one that the presence they hold is none any more.
 */
export function tellBlock(bus: Pick<EventBus, 'publish'>, { blocker, blocked }: Pair, on: boolean): void {
  const change = { blockerId: blocker, blockedId: blocked, on };
  bus.publish(subjects.blockChanged, blockChanged.encode(change));
  bus.publish(subjects.user(blocker), userEvent.encode({ userId: blocker, blockChanged: change }));
  if (!on) return;
  const presenceHidden = { userId: blocker };
  bus.publish(subjects.user(blocked), userEvent.encode({ userId: blocked, presenceHidden }));
}

/** Keeps a process's cache of blocks as young as the bus can; while that is away it ages by itself. */
export function listenToBlocks(bus: EventBus, cache: BlockCache): BusSubscription {
  const heard = bus.subscribe(subjects.blockChanged, ({ data }) => {
    const { blockerId, blockedId } = blockChanged.decode(data);
    cache.forget({ blocker: blockerId, blocked: blockedId });
  });
  const healed = bus.onHealed(() => cache.forgetAll());
  return {
    close: () => {
      heard.close();
      healed.close();
    },
  };
}
