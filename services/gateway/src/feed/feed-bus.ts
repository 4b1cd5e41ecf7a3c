import type { EventBus } from '@bluewave/events/event-bus';

/** The bus as feeds use it: hears, and knows whether it can. */
export type FeedBus = Pick<EventBus, 'subscribe' | 'onHealed' | 'connected' | 'current'>;
