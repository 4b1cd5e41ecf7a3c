import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PlatformError, messageOf } from '../platform-error.ts';
import type { Keeper } from './keeper.ts';

/** What to run and how to tell that it is up. */
export type ProcessSpec = {
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment of the process. */
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Takes what the process writes, unless `onLine` does. */
  logFile: string;
  /** Called with each line the process writes; the process then writes to a pipe and not to `logFile`. */
  onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** What the process said last, for the message when it does not start; by default the end of `logFile`. */
  lastWords?: () => string;
  /** Resolves when the process serves; rejects while it does not. The signal fires when the process is gone. */
  ready: (signal: AbortSignal) => Promise<void>;
  /** How long it may take to end after SIGTERM before SIGKILL. */
  stopTimeoutMs: number;
};

/** What whoever watches the process is told. */
export type ProcessListener = {
  /** It runs under a new pid (also the first one). */
  started(name: string, pid: number): void;
  /** It died although nobody asked it to. `how` is a few words such as `killed by SIGKILL`. */
  died(name: string, how: string): void;
  /** It serves again after it died. */
  restarted(name: string, afterMs: number): void;
  /** It was restarted and does not serve. */
  restartFailed(name: string, reason: string): void;
};

/** How a process ended: with a code, or by a signal. */
export type ProcessEnd = { code: number | null; signal: NodeJS.Signals | null };

const FIRST_RESTART_MS = 50;
const NEXT_RESTART_MS = 1_500;
const STEADY_AFTER_MS = 5_000;

const describeExit = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `ended with code ${code ?? 'unknown'}` : `killed by ${signal}`;

/**
 * One child process that is kept running until `stop`. It lives in a process group of its own, so that Ctrl-C reaches
 * only the supervisor, which then ends the children in order; the keeper ends it should the supervisor die.
 */
export class SupervisedProcess {
  readonly #spec: ProcessSpec;
  readonly #keeper: Keeper;
  readonly #listener: ProcessListener;
  #child: ChildProcess | undefined;
  #gone = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #steady = false;
  #startedAt = 0;
  #diedAt = 0;
  /** Counts starts; `#served` is the last start that came to serve, `#killed` the one `kill` was used on. */
  #generation = 0;
  #served = 0;
  #killed = 0;
  #waiters: (() => void)[] = [];

  constructor(spec: ProcessSpec, keeper: Keeper, listener: ProcessListener) {
    this.#spec = spec;
    this.#keeper = keeper;
    this.#listener = listener;
  }

  get name(): string {
    return this.#spec.name;
  }

  /** The pid it has now; undefined between a death and the restart. */
  get pid(): number | undefined {
    return this.#gone.signal.aborted ? undefined : this.#child?.pid;
  }

  /**
   * Starts it for the first time and waits until it serves.
   *
   * @param signal gives up and ends it again
   * @throws PlatformError when it ends or does not come to serve, with the last line it wrote
   */
  async start(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#spawn();
    try {
      await this.#becomeReady(signal);
      this.#steady = true;
    } catch (error) {
      await this.stop();
      signal?.throwIfAborted();
      const said = this.#lastWords();
      const reason = messageOf(error);
      const detail = said === '' ? reason : `${reason}; it said: ${said}`;
      throw new PlatformError(`${this.name} did not start: ${detail}`, { cause: error });
    }
  }

  /** Sends a signal. Resolves with how it ended when it is dead, or at once for signals that do not end a process. */
  async kill(signal: NodeJS.Signals): Promise<ProcessEnd | undefined> {
    const child = this.#child;
    if (child === undefined || this.#gone.signal.aborted) return undefined;
    this.#killed = this.#generation;
    const gone = this.#whenGone();
    child.kill(signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return undefined;
    await gone;
    return { code: child.exitCode, signal: child.signalCode };
  }

  /**
   * Waits until it serves again after the last `kill`.
   *
   * @throws PlatformError when `timeoutMs` have passed before
   */
  async waitRestarted(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.#served <= this.#killed) {
      const left = deadline - performance.now();
      if (left <= 0) throw new PlatformError(`${this.name} was not up again within ${timeoutMs} ms.`);
      await this.#nextChange(left);
    }
  }

  /** Ends it for good: SIGTERM, and SIGKILL after the time it may take. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined || this.#gone.signal.aborted) return;
    const gone = this.#whenGone();
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    const lastResort = setTimeout(() => child.kill('SIGKILL'), this.#spec.stopTimeoutMs);
    await gone;
    clearTimeout(lastResort);
  }

  #spawn(): void {
    const { command, args, env, cwd, onLine, logFile } = this.#spec;
    const log = onLine === undefined ? openSync(logFile, 'a', 0o600) : undefined;
    const child = spawn(command, args, {
      stdio: ['ignore', log ?? 'pipe', log ?? 'pipe'],
      detached: true,
      env,
      cwd,
    });
    if (log !== undefined) closeSync(log);
    this.#generation += 1;
    this.#startedAt = performance.now();
    this.#child = child;
    const gone = new AbortController();
    this.#gone = gone;
    child.once('error', (error) => this.#ended(gone, error.message));
    child.once('exit', (code, signal) => this.#ended(gone, describeExit(code, signal)));
    if (child.pid === undefined) return;
    this.#keeper.guard(child.pid);
    if (onLine !== undefined) {
      for (const stream of ['stdout', 'stderr'] as const) {
        const input = child[stream];
        if (input !== null) createInterface({ input }).on('line', (line) => onLine(line, stream));
      }
    }
    this.#listener.started(this.name, child.pid);
  }

  #ended(gone: AbortController, how: string): void {
    if (gone.signal.aborted) return;
    const pid = this.#child?.pid;
    if (pid !== undefined) this.#keeper.release(pid);
    this.#diedAt = performance.now();
    gone.abort(new PlatformError(`it ${how}`));
    this.#changed();
    if (this.#stopping || !this.#steady) return;
    this.#listener.died(this.name, how);
    const quick = this.#diedAt - this.#startedAt > STEADY_AFTER_MS || this.#served === this.#generation;
    this.#timer = setTimeout(() => this.#restart(), quick ? FIRST_RESTART_MS : NEXT_RESTART_MS);
  }

  #restart(): void {
    const diedAt = this.#diedAt;
    this.#spawn();
    this.#becomeReady().then(
      () => this.#listener.restarted(this.name, Math.round(performance.now() - diedAt)),
      (error: unknown) => {
        if (this.#stopping) return;
        const reason = messageOf(error);
        this.#listener.restartFailed(this.name, reason);
      },
    );
  }

  async #becomeReady(giveUp?: AbortSignal): Promise<void> {
    const generation = this.#generation;
    const { signal } = this.#gone;
    const either = giveUp === undefined ? signal : AbortSignal.any([signal, giveUp]);
    await this.#spec.ready(either).catch((error: unknown) => {
      throw either.aborted ? either.reason : error;
    });
    either.throwIfAborted();
    this.#served = generation;
    this.#changed();
  }

  #whenGone(): Promise<void> {
    const { signal } = this.#gone;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  #nextChange(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #changed(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  #lastWords(): string {
    if (this.#spec.lastWords !== undefined) return this.#spec.lastWords();
    const text = readFileSync(this.#spec.logFile, 'utf8').trim();
    return text.slice(text.lastIndexOf('\n') + 1).slice(0, 500);
  }
}
