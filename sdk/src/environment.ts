/** Time as the client uses it: to wait, and to tell when something expires. */
export type Clock = {
  /** Milliseconds since 1970. May jump: nothing relies on it but expiries that the server checks as well. */
  now(): number;
  /** Runs `action` once after `ms`. @returns what prevents that. */
  after(ms: number, action: () => void): () => void;
};

/** What the client needs of the machine it runs on. */
export type Environment = {
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  fetch: typeof fetch;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

/** A version 4 UUID; from the system's generator where there is one. */
export function newUuid(random: () => number): string {
  const bytes = new Uint8Array(16);
  if (typeof globalThis.crypto?.getRandomValues === 'function') globalThis.crypto.getRandomValues(bytes);
  else for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor(random() * 256);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Waits; ends early, and says so by `false`, when `signal` aborts. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false);
    const end = (whole: boolean): void => {
      cancel();
      signal?.removeEventListener('abort', abort);
      resolve(whole);
    };
    const abort = (): void => end(false);
    const cancel = clock.after(ms, () => end(true));
    signal?.addEventListener('abort', abort);
  });
}
