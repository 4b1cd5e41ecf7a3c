import { rmSync } from 'node:fs';
import { PlatformError } from '../platform-error.ts';
import { Keeper } from '../processes/keeper.ts';
import type { ProcessListener, SupervisedProcess } from '../processes/supervised-process.ts';
import { isDiskFull, type DataFolder } from './data-folder.ts';
import { replaceFile } from './json-file.ts';
import type { PlatformOutput } from './platform-output.ts';
import type { SeededUser } from './seed-users.ts';

/** In which order processes end: gateways first, engines last. */
export type Tier = 'gateway' | 'service' | 'engine';

const TIERS: readonly Tier[] = ['gateway', 'service', 'engine'];

/** What `platform.json` says beside the processes. */
export type PlatformFacts = {
  gateways: readonly string[];
  fcm: string;
  s3: string;
  engines: { mongodb: string; redis: string; nats: string };
  metrics: readonly string[];
  users: readonly SeededUser[];
};

/**
 * All processes of one platform. Says when one dies and comes back, keeps `supervisor.json` and, once the platform is
 * ready, `platform.json` true, and ends everything in order.
 */
export class ProcessTable implements ProcessListener {
  readonly keeper = new Keeper();
  readonly #folder: DataFolder;
  readonly #output: PlatformOutput;
  readonly #platformFile: string;
  readonly #processes = new Map<string, { tier: Tier; process: SupervisedProcess }>();
  readonly #pids = new Map<string, number>();
  #facts: PlatformFacts | undefined;
  #closing: Promise<void> | undefined;

  constructor(folder: DataFolder, output: PlatformOutput) {
    this.#folder = folder;
    this.#output = output;
    this.#platformFile = folder.file('platform.json');
    rmSync(this.#platformFile, { force: true });
    this.keeper.guardPath(this.#platformFile);
  }

  add(tier: Tier, processes: readonly SupervisedProcess[]): void {
    for (const process of processes) this.#processes.set(process.name, { tier, process });
  }

  /** @throws PlatformError for a name that is not in the table */
  get(name: string): SupervisedProcess {
    const entry = this.#processes.get(name);
    if (entry !== undefined) return entry.process;
    throw new PlatformError(`There is no process ${name}, only ${[...this.#processes.keys()].join(', ')}.`);
  }

  /** The processes that run at this moment. */
  running(): { name: string; pid: number }[] {
    return [...this.#processes.values()].flatMap(({ process }) =>
      process.pid === undefined ? [] : [{ name: process.name, pid: process.pid }],
    );
  }

  /** From now on `platform.json` says that the platform is ready, and with which processes. */
  publish(facts: PlatformFacts): void {
    this.#facts = facts;
    this.#write();
  }

  started(name: string, pid: number): void {
    this.#pids.set(name, pid);
    this.#folder.note(this.keeper.identity, [...this.#pids.values()]);
    this.#write();
  }

  died(name: string, how: string): void {
    this.#output.event('warn', `${name} ${how}: restarting it`);
    if (isDiskFull(this.#folder.path))
      this.#output.event('error', `The disk of ${this.#folder.path} is full: free some space.`);
  }

  restarted(name: string, afterMs: number): void {
    this.#output.event('warn', `${name} is back after ${afterMs} ms (process ${this.#pids.get(name)})`);
  }

  restartFailed(name: string, reason: string): void {
    this.#output.event('error', `${name} does not come back (${reason}): see logs/${name}.log`);
  }

  /** Ends everything in order and lets go of the data folder. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#facts = undefined;
    rmSync(this.#platformFile, { force: true });
    for (const tier of TIERS) {
      const processes = [...this.#processes.values()].filter((one) => one.tier === tier);
      await Promise.all(processes.map(({ process }) => process.stop()));
    }
    await this.keeper.close();
    this.#folder.release();
  }

  #write(): void {
    if (this.#facts === undefined) return;
    const { gateways, fcm, s3, engines, metrics, users } = this.#facts;
    const processes = [...this.#processes.keys()].flatMap((name) => {
      const pid = this.#pids.get(name);
      return pid === undefined ? [] : [{ name, pid }];
    });
    const content = { ready: true, gateways, fcm, s3, engines, metrics, users, processes };
    replaceFile(this.#platformFile, `${JSON.stringify(content, null, 2)}\n`);
  }
}
