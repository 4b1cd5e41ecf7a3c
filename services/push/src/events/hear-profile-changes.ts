import { userUpdated } from '@bluewave/events/codec';
import type { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { SenderNames } from '../grpc/sender-names.ts';

/** Keeps display names fresh: forgets who changed, and all after a time without the bus. */
export function hearProfileChanges(bus: EventBus, names: SenderNames): { close(): void } {
  const changes = bus.subscribe(subjects.userUpdated, ({ data }) => names.forget(userUpdated.decode(data).userId));
  const healed = bus.onHealed(() => names.forgetAll());
  return {
    close: () => {
      changes.close();
      healed.close();
    },
  };
}
