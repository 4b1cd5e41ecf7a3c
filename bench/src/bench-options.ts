import type { Platform } from '@bluewave/dev-env/platform';

export type BenchOptions = {
  /** Seconds of each measured part. */
  seconds: number;
  /** How often platform and baseline take turns. */
  rounds: number;
  /** Sockets or clients, for the parts that are about many; each has its own number by default. */
  size?: number;
  report(line: string): void;
};

/** A measured value and what it is to be. */
export type Goal = { value: number } & ({ atLeast: number } | { atMost: number } | { below: number });

/** One part of the bench: brings figures, and the goals among them by name. */
export type BenchPart = (
  platform: Platform,
  options: BenchOptions,
) => Promise<{ goals: Record<string, Goal> } & Record<string, unknown>>;

/** The process of the platform with this name. */
export function pidOf(platform: Platform, name: string): number {
  const found = platform.processes().find((one) => one.name === name);
  if (!found) throw new Error(`${name} does not run`);
  return found.pid;
}
