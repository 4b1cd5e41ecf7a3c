import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ConfigError } from './config.ts';
import { within } from './deadline.ts';
import { describeError, type Fault, type FaultSink, type Logger } from './logger.ts';

const loadMs = 10_000;
/** How long the hook has for one report; what it does after that nobody waits for. */
const reportMs = 5_000;
/** Reports in hand: more are dropped, since a platform that has many faults at once has them for one reason. */
const mostInHand = 100;
const tellEveryMs = 60_000;
const startAgainMs = 5_000;

/**
 * What runs beside the service: the hook has a thread of its own, so that one that loops, throws or forgets a promise
 * harms nobody. As a text, since a thread starts from a file, and which file that is differs between sources and images.
 */
const thread = `
const { parentPort, workerData } = require('node:worker_threads');
const revive = ({ type, message, stack, cause }) =>
  Object.assign(new Error(message), { name: type, stack }, cause === undefined ? {} : { cause: cause && cause.type ? revive(cause) : cause });
(async () => {
  const { report } = await import(workerData.url);
  if (typeof report !== 'function') throw new Error('it exports no function named report');
  parentPort.on('message', async ({ error, context }) => {
    let timer;
    const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error('it took longer than ' + workerData.reportMs + ' ms')), workerData.reportMs); });
    try {
      await Promise.race([report(revive(error), context), late]);
      parentPort.postMessage({ ok: true });
    } catch (failure) {
      parentPort.postMessage({ ok: false, reason: String(failure && failure.message || failure) });
    } finally {
      clearTimeout(timer);
    }
  });
  parentPort.postMessage({ ok: true });
})();
`;

type Answer = { ok: true } | { ok: false; reason: string };

export type ErrorHookOptions = {
  /** A module that exports `report(error, context)`. */
  path: string;
  /** Hears of trouble with the hook, at most once a minute; must not lead back to it. */
  log: Logger;
  reportMs?: number;
};

/** In one line. What a thread threw is no instance of our Error when it comes from another realm. */
function reasonOf(thrown: unknown): string {
  const { message } = (thrown ?? {}) as { message?: unknown };
  return (typeof message === 'string' ? message : String(thrown)).replaceAll(/\s+/g, ' ');
}

/** Hands faults to a module of the operator's, in its own thread: nothing here waits for it or fails because of it. */
export class ErrorHook implements FaultSink {
  readonly #options: ErrorHookOptions;
  #worker: Worker | undefined;
  #inHand = 0;
  #lost = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #endedAt = 0;
  #open = false;
  #idle: (() => void) | undefined;

  private constructor(options: ErrorHookOptions) {
    this.#options = options;
  }

  /** Resolves when the module is loaded. @throws ConfigError that says in one line why it is not. */
  static async load(options: ErrorHookOptions): Promise<ErrorHook> {
    const hook = new ErrorHook(options);
    const worker = hook.#start();
    const loaded = new Promise<void>((yes, no) => {
      worker.once('message', () => yes());
      worker.once('error', no);
      worker.once('exit', () => no(new Error('it ended its thread')));
    });
    try {
      await within(loadMs, 'ERROR_HOOK', loaded);
      hook.#open = true;
      return hook;
    } catch (cause) {
      await worker.terminate();
      throw new ConfigError(`ERROR_HOOK ${options.path} cannot be used: ${reasonOf(cause)}`, { cause });
    }
  }

  take({ error, context }: Fault): void {
    const worker = this.#worker ?? this.#startAgain();
    if (!worker || this.#inHand >= mostInHand) return this.#lose(1, 'it has too much in hand');
    try {
      worker.postMessage({ error: describeError(error), context }, []);
      this.#inHand += 1;
    } catch (failure) {
      // A cause that is no error may hold what cannot be handed over.
      this.#lose(1, reasonOf(failure));
    }
  }

  /** Gives the hook up to `ms` for what it has in hand, then ends its thread. */
  async close(ms: number): Promise<void> {
    if (this.#inHand > 0 && this.#worker) {
      const idle = new Promise<void>((yes) => (this.#idle = yes));
      // What it has not done by then is lost with its thread: nobody waits longer for it.
      await within(ms, 'ERROR_HOOK', idle).catch(() => undefined);
    }
    this.#open = false;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const url = pathToFileURL(resolve(this.#options.path)).href;
    const workerData = { url, reportMs: this.#options.reportMs ?? reportMs };
    // Flags of the process are its own: some change what kind of module a text is.
    const worker = new Worker(thread, { eval: true, workerData, execArgv: [], env: process.env });
    worker.unref();
    // The first answer says that the module is loaded.
    this.#inHand = 1;
    worker.on('message', (answer: Answer) => {
      this.#settle(1);
      if (!answer.ok) this.#lose(1, answer.reason);
    });
    worker.on('error', (error) => this.#lose(this.#inHand, `its thread ended: ${reasonOf(error)}`));
    worker.on('exit', () => this.#ended(worker));
    this.#worker = worker;
    return worker;
  }

  #startAgain(): Worker | undefined {
    return this.#open && performance.now() - this.#endedAt >= startAgainMs ? this.#start() : undefined;
  }

  #ended(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#endedAt = performance.now();
    this.#settle(this.#inHand);
  }

  #settle(reports: number): void {
    this.#inHand -= reports;
    if (this.#inHand === 0) this.#idle?.();
  }

  #lose(reports: number, reason: string): void {
    this.#lost += reports;
    if (!this.#open || performance.now() - this.#toldAt < tellEveryMs) return;
    this.#toldAt = performance.now();
    this.#options.log.warn({ lost: this.#lost, reason }, 'the error hook does not take what it is given');
  }
}
