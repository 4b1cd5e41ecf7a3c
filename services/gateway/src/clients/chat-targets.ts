import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { pickByRendezvous } from '@bluewave/rpc/rendezvous';
import type { Logger } from '@bluewave/runtime/logger';

/** One process that serves; `serverName` is the name its certificate is checked against, when it was found by name. */
export type TargetAddress = { address: string; serverName: string | undefined };
export type Target = TargetAddress & { close(): void };

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

/**
 * The live set of a service's processes: a comma list and/or names with several addresses, resolved again every 5 s.
 * Each key has one home among them, the same for every gateway that sees the same set; a target that could not be
 * reached is passed over for a second. A name that cannot be resolved keeps what it had.
 */
export class ChatTargets<T extends Target> {
  readonly #options: ChatTargetsOptions<T>;
  readonly #now: () => number;
  readonly #targets = new Map<string, T>();
  readonly #avoided = new Map<string, number>();
  readonly #lingering = new Map<T, NodeJS.Timeout>();
  readonly #timer: NodeJS.Timeout;
  #names: string[] = [];
  #next = 0;
  #closed = false;

  constructor(options: ChatTargetsOptions<T>) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const parts = options.address.split(',');
    this.#use(parts.map(literal).filter((found) => found !== undefined));
    if (parts.some((part) => !literal(part))) void this.#resolve();
    this.#timer = setInterval(() => void this.#resolve(), options.resolveEveryMs ?? 5_000);
    this.#timer.unref();
  }

  /** The home of `key` among the targets that can be reached; undefined while none is known. */
  pick(key: string): T | undefined {
    const names = this.#usable();
    const name = names.length === 1 ? names[0] : pickByRendezvous(key, names);
    return name === undefined ? undefined : this.#targets.get(name);
  }

  /** Any target, in turn. */
  next(): T | undefined {
    const names = this.#usable();
    const name = names[this.#next++ % names.length];
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
    }
  }

  #use(found: TargetAddress[]): void {
    const wanted = new Map(found.map((target) => [target.address, target]));
    if (wanted.size === 0) return;
    for (const [name, target] of this.#targets) {
      if (wanted.has(name)) continue;
      this.#targets.delete(name);
      this.#avoided.delete(name);
      const timer = setTimeout(() => {
        this.#lingering.delete(target);
        target.close();
      }, lingerMs);
      this.#lingering.set(target, timer);
    }
    for (const [name, target] of wanted) {
      if (!this.#targets.has(name)) this.#targets.set(name, this.#options.open(target));
    }
    this.#names = [...this.#targets.keys()];
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
