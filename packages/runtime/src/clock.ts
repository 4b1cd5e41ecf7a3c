/** Milliseconds since the epoch; injected where behaviour depends on time. */
export type Clock = () => number;

export const systemClock: Clock = () => Date.now();
