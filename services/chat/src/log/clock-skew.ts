/** Replicas' clocks agree within this, milliseconds: a conversation's times run backwards by no more. */
export const skewMs = 10_000;
