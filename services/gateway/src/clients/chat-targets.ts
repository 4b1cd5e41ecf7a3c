import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { pickByRendezvous } from '@bluewave/rpc/rendezvous';
import type { Logger } from '@bluewave/runtime/logger';
import { SlowStart } from './slow-start.ts';

/** One process that serves; `serverName` is the name its certificate is checked against, when it was found by name. */
export type TargetAddress = { address: string; serverName: string | undefined };
export type Target = TargetAddress & {
  /** Tells whether the process is connected, now and whenever that changes, until the target is closed. */
  follow(tell: (isConnected: boolean) => void): void;
  close(): void;
};

export type ChatTargetsOptions<T extends Target> = {
  /** `host:port`, or several comma separated. */
  address: string;
  open(address: TargetAddress): T;
  log: Logger;
  now?: () => number;
  resolveEveryMs?: number;
};

/** How long a target that could not be reached is passed over. */
const avoidMs = 1_000;
/** How long a target that left the name goes on with what it was asked. */
const lingerMs = 3_000;
/** However many connections end, a name is not resolved more often; while it has no address it is as soon as this. */
const resolveAgainMs = 250;
const resolveAbsentMs = 1_000;

/**
 * The live set of a service's processes: a comma list and/or names with several addresses, resolved again every 5 s and
 * when a connection ends, which a process that is replaced does before the name is looked at again.
 * Each key has one home among them, the same for every gateway that sees the same set. A target that is not connected
 * is passed over while another one is, since a call to an address where nobody is any more waits for its whole deadline;
 * one that could not be reached is passed over for a second, and one that joins the others gets its share bit by bit.
 * A name that cannot be resolved keeps what it had.
 */
export class ChatTargets<T extends Target> {
  readonly #options: ChatTargetsOptions<T>;
  readonly #now: () => number;
  readonly #targets = new Map<string, T>();
  readonly #avoided = new Map<string, number>();
  readonly #connected = new Set<string>();
  readonly #slowStart: SlowStart;
  readonly #lingering = new Map<T, NodeJS.Timeout>();
  readonly #timer: NodeJS.Timeout;
  readonly #isNamed: boolean;
  /** Those that are connected, or all while none is. */
  #names: string[] = [];
  #next = 0;
  #again: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ChatTargetsOptions<T>) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#slowStart = new SlowStart(this.#now);
    const parts = options.address.split(',');
    this.#use(parts.map(literal).filter((found) => found !== undefined));
    this.#isNamed = parts.some((part) => !literal(part));
    if (this.#isNamed) void this.#resolve();
    this.#timer = setInterval(() => void this.#resolve(), options.resolveEveryMs ?? 5_000);
    this.#timer.unref();
  }

  /** The home of `key` among the targets that can be reached; undefined while none is known. */
  pick(key: string): T | undefined {
    const names = this.#slowStart.ready(key, this.#usable());
    const name = names.length === 1 ? names[0] : pickByRendezvous(key, names);
    return name === undefined ? undefined : this.#targets.get(name);
  }

  /** Any target, in turn. */
  next(): T | undefined {
    const turn = this.#next++;
    const names = this.#slowStart.ready(String(turn), this.#usable());
    const name = names[turn % names.length];
    return name === undefined ? undefined : this.#targets.get(name);
  }

  /** Every target. */
  all(): T[] {
    return [...this.#targets.values()];
  }

  /** Passes over a target that could not be reached, for a while. */
  avoid(target: T): void {
    if (this.#targets.has(target.address)) this.#avoided.set(target.address, this.#now() + avoidMs);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#again);
    for (const [target, timer] of this.#lingering) {
      clearTimeout(timer);
      target.close();
    }
    for (const target of this.#targets.values()) target.close();
    this.#targets.clear();
    this.#names = [];
  }

  /** Those not passed over, or all when every one is. */
  #usable(): string[] {
    if (this.#avoided.size === 0) return this.#names;
    for (const [name, until] of this.#avoided) if (until <= this.#now()) this.#avoided.delete(name);
    const usable = this.#names.filter((name) => !this.#avoided.has(name));
    return usable.length > 0 ? usable : this.#names;
  }

  async #resolve(): Promise<void> {
    const parts = this.#options.address.split(',');
    try {
      const found = await Promise.all(parts.map((part) => addressesOf(part)));
      if (!this.#closed) this.#use(found.flat());
    } catch (error) {
      this.#options.log.warn({ err: error, address: this.#options.address }, 'an address could not be resolved');
      if (this.#targets.size === 0) this.#resolveIn(resolveAbsentMs);
    }
  }

  #use(found: TargetAddress[]): void {
    const wanted = new Map(found.map((target) => [target.address, target]));
    if (wanted.size === 0) return;
    for (const [name, target] of this.#targets) {
      if (wanted.has(name)) continue;
      this.#targets.delete(name);
      this.#avoided.delete(name);
      this.#disconnected(name);
      const timer = setTimeout(() => {
        this.#lingering.delete(target);
        target.close();
      }, lingerMs);
      this.#lingering.set(target, timer);
    }
    for (const [name, address] of wanted) {
      if (this.#targets.has(name)) continue;
      const target = this.#options.open(address);
      this.#targets.set(name, target);
      target.follow((isConnected) => this.#note(target, isConnected));
    }
    this.#choose();
  }

  #note(target: T, isConnected: boolean): void {
    const name = target.address;
    if (this.#closed || this.#targets.get(name) !== target || this.#connected.has(name) === isConnected) return;
    if (isConnected) {
      this.#connected.add(name);
      this.#slowStart.joined(name);
    } else {
      this.#disconnected(name);
      this.#resolveIn(resolveAgainMs);
    }
    this.#choose();
  }

  #disconnected(name: string): void {
    this.#connected.delete(name);
    this.#slowStart.left(name, this.#connected.size > 0);
  }

  #choose(): void {
    const names = [...this.#targets.keys()];
    this.#names = this.#connected.size === 0 ? names : names.filter((name) => this.#connected.has(name));
  }

  #resolveIn(ms: number): void {
    if (!this.#isNamed || this.#closed) return;
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      void this.#resolve();
    }, ms).unref();
  }
}

function split(part: string): { host: string; port: string } {
  const colon = part.lastIndexOf(':');
  const host = part.slice(0, colon).trim();
  return { host: host.replace(/^\[|\]$/g, ''), port: part.slice(colon + 1).trim() };
}

function literal(part: string): TargetAddress | undefined {
  const { host } = split(part);
  return isIP(host) === 0 ? undefined : { address: part.trim(), serverName: undefined };
}

/** Every address of a name, of one family: a process with two would else be two targets. */
async function addressesOf(part: string): Promise<TargetAddress[]> {
  const known = literal(part);
  if (known) return [known];
  const { host, port } = split(part);
  const found = await lookup(host, { all: true });
  const family = found.some((one) => one.family === 4) ? 4 : 6;
  return found
    .filter((one) => one.family === family)
    .map((one) => ({
      address: family === 4 ? `${one.address}:${port}` : `[${one.address}]:${port}`,
      serverName: host,
    }));
}
