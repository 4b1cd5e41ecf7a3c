import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Api,
  BluewaveError,
  type Client,
  type ClientOptions,
  createApi,
  createClient,
  type Session,
} from '@bluewave/sdk';
import { type Platform, startPlatform } from '@bluewave/dev-env/platform';
import type { FaultyLink, FaultyLinks } from '../network/faulty-link.ts';
import { openLinks } from '../network/open-links.ts';

export type Person = { session: Session; id: string; username: string; api: Api };

export const password = 'a long enough password';

/** A platform with people and their devices; everything that a test began ends with `tidy`, the rest with `close`. */
export class World {
  readonly #platform: Platform;
  readonly #dataDir: string;
  readonly #clients: Client[] = [];
  readonly #proxies: FaultyLink[] = [];
  #links: Promise<FaultyLinks> | undefined;

  private constructor(platform: Platform, dataDir: string) {
    this.#platform = platform;
    this.#dataDir = dataDir;
  }

  static async create(): Promise<World> {
    const dataDir = mkdtempSync(join(tmpdir(), 'bluewave-sdk-'));
    return new World(await startPlatform({ dataDir, limits: false }), dataDir);
  }

  get platform(): Platform {
    return this.#platform;
  }

  get url(): string {
    return this.#platform.gateways[0] ?? '';
  }

  async person(): Promise<Person> {
    const username = `s${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10)}`;
    const body = { email: `${username}@example.com`, username, password };
    const session = await patient(createApi({ url: this.url }))('authRegister', { body });
    return this.#personOf(session);
  }

  /** The same person with a session of another device. */
  async elsewhere({ username }: Person): Promise<Person> {
    return this.#personOf(
      await patient(createApi({ url: this.url }))('authLogin', { body: { identifier: username, password } }),
    );
  }

  /** A client of somebody, connected and up to date unless it is told not to connect. */
  async client(person: Person, options: Partial<ClientOptions> & { offline?: boolean } = {}): Promise<Client> {
    const { offline = false, ...given } = options;
    const { session, url } = { session: person.session, url: this.url };
    const client = await createClient({ session, url, ...given } as ClientOptions);
    this.#clients.push(client);
    if (offline) return client;
    client.connect();
    await until(() => client.synced.get());
    return client;
  }

  async proxy(): Promise<FaultyLink> {
    this.#links ??= openLinks(Math.random);
    const proxy = await (await this.#links).open(this.url);
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Takes over a client that was made elsewhere. */
  keep<C extends Client>(client: C): C {
    this.#clients.push(client);
    return client;
  }

  async tidy(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
    await Promise.all(this.#proxies.splice(0).map((proxy) => proxy.close()));
  }

  async close(): Promise<void> {
    await this.tidy();
    await (await this.#links)?.close();
    await this.#platform.stop();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  #personOf(session: Session): Person {
    const tokens = { get: async () => session.accessToken, reject: () => undefined };
    const { id, username } = session.user;
    return { session, id, username, api: patient(createApi({ url: this.url, tokens })) };
  }
}

const mayPass: readonly string[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'REQUEST_IN_PROGRESS'];

/** As apps do it: what the platform could not answer in time is asked again, for up to 10 s, with the same key. */
function patient(api: Api): Api {
  const ask = api as (...args: unknown[]) => Promise<unknown>;
  const call = async (operation: string, input?: unknown, options?: object): Promise<unknown> => {
    const again = { idempotencyKey: randomUUID(), ...options };
    for (const until = Date.now() + 10_000; ;) {
      try {
        return await ask(operation, input, again);
      } catch (error) {
        const isPassing = error instanceof BluewaveError && mayPass.includes(error.code);
        if (!isPassing || Date.now() > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  };
  return call as Api;
}

/** Waits until something is so, at most 10 s unless told otherwise. */
export async function until(isSo: () => boolean, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`it did not come true within ${ms} ms: ${isSo.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
