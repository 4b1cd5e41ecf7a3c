/** One-shot timers, injected so that tests run on a clock of their own. */
export type Timers = {
  /** Runs `run` once after `ms` milliseconds. @returns the way to call it off. */
  after(ms: number, run: () => void): () => void;
};

export const systemTimers: Timers = {
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
