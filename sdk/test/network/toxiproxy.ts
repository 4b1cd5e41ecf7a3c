import { type ChildProcess, spawn } from 'node:child_process';
import { cacheFolder } from '@bluewave/dev-env/find/cache-folder';
import { locateToxiproxy } from '@bluewave/dev-env/find/locate-toxiproxy';
import { freePort } from '@bluewave/dev-env/net/free-port';
import { waitUntil } from '@bluewave/dev-env/net/wait-until';
import { projectRoot } from '@bluewave/dev-env/paths';
import { Keeper } from '@bluewave/dev-env/processes/keeper';
import { type FaultyLink, type FaultyLinks, goodLink, type Link } from './faulty-link.ts';

type Stream = 'upstream' | 'downstream';
type Toxic = { name: string; type: string; stream: Stream; attributes: Record<string, number> };
type Ask = (method: string, path: string, body?: unknown) => Promise<unknown>;

const startMs = 10_000;
const callMs = 10_000;
const bothWays = ['upstream', 'downstream'] as const;

/** Links through toxiproxy, in a process of its own that ends with this one. Undefined where it cannot be had. */
export async function startToxiproxy(say: (line: string) => void): Promise<FaultyLinks | undefined> {
  const { env } = process;
  const cacheDir = cacheFolder(env, projectRoot);
  const binary = await locateToxiproxy({ env, cacheDir, platform: process.platform, arch: process.arch, say });
  if (!binary) return undefined;
  const port = await freePort();
  const child = spawn(binary.command, [...binary.args, '-host', '127.0.0.1', '-port', String(port)], {
    stdio: 'ignore',
    env: { ...env, ...binary.env },
  });
  const keeper = new Keeper();
  if (child.pid !== undefined) keeper.guard(child.pid);
  const ask = askOf(`http://127.0.0.1:${port}`);
  await waitUntil(async () => void (await ask('GET', '/version')), { signal: goneSignal(child), timeoutMs: startMs });
  let count = 0;
  return {
    kind: 'toxiproxy',
    open: (gateway) => ToxicLink.open(ask, `link-${(count += 1)}`, gateway),
    close: async () => {
      child.kill();
      await keeper.close();
    },
  };
}

function goneSignal(child: ChildProcess): AbortSignal {
  const gone = new AbortController();
  child.once('error', (error) => gone.abort(error));
  child.once('exit', () => gone.abort(new Error('toxiproxy ended')));
  return gone.signal;
}

function askOf(url: string): Ask {
  return async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      signal: AbortSignal.timeout(callMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`toxiproxy: ${method} ${path} answered ${answer.status}: ${text}`);
    return text.startsWith('{') ? JSON.parse(text) : text;
  };
}

class ToxicLink implements FaultyLink {
  readonly url: string;
  readonly #ask: Ask;
  readonly #path: string;
  readonly #toxics = new Set<string>();
  #enabled = true;
  /** What is told is done in order. */
  #last: Promise<void> = Promise.resolve();

  private constructor(ask: Ask, path: string, url: string) {
    this.#ask = ask;
    this.#path = path;
    this.url = url;
  }

  static async open(ask: Ask, name: string, gateway: string): Promise<ToxicLink> {
    const listen = `127.0.0.1:${await freePort()}`;
    await ask('POST', '/proxies', { name, listen, upstream: new URL(gateway).host, enabled: true });
    return new ToxicLink(ask, `/proxies/${name}`, `http://${listen}`);
  }

  setLink(link: Partial<Link>): Promise<void> {
    return this.#inTurn(async () => {
      await this.#clear();
      const { delayMs, jitterMs, bytesPerSecond, refuses } = { ...goodLink, ...link };
      for (const stream of bothWays) {
        if (delayMs + jitterMs > 0) {
          // Around the middle, so that it is never less than the delay.
          const attributes = { latency: Math.round(delayMs + jitterMs / 2), jitter: Math.round(jitterMs / 2) };
          await this.#add({ name: `delay-${stream}`, type: 'latency', stream, attributes });
        }
        if (Number.isFinite(bytesPerSecond)) {
          const attributes = { rate: Math.max(1, Math.round(bytesPerSecond / 1_000)) };
          await this.#add({ name: `throttle-${stream}`, type: 'bandwidth', stream, attributes });
        }
      }
      await this.#enable(!refuses);
    });
  }

  reset(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#enabled) return;
      // A reset for those who are talking; toxiproxy ends the silent ones only with their proxy.
      for (const stream of bothWays) {
        await this.#add({ name: `reset-${stream}`, type: 'reset_peer', stream, attributes: { timeout: 0 } });
      }
      await this.#enable(false);
      for (const stream of bothWays) await this.#remove(`reset-${stream}`);
      await this.#enable(true);
    });
  }

  freeze(): Promise<void> {
    return this.#inTurn(async () => {
      for (const stream of bothWays) await this.#drop(stream);
    });
  }

  mute(): Promise<void> {
    return this.#inTurn(() => this.#drop('downstream'));
  }

  heal(): Promise<void> {
    return this.setLink({});
  }

  close(): Promise<void> {
    return this.#inTurn(async () => void (await this.#ask('DELETE', this.#path)));
  }

  /** Everything that comes is dropped; the connection ends when this does. */
  async #drop(stream: Stream): Promise<void> {
    if (this.#toxics.has(`drop-${stream}`)) return;
    await this.#add({ name: `drop-${stream}`, type: 'timeout', stream, attributes: { timeout: 0 } });
  }

  async #add(toxic: Toxic): Promise<void> {
    await this.#ask('POST', `${this.#path}/toxics`, { ...toxic, toxicity: 1 });
    this.#toxics.add(toxic.name);
  }

  async #remove(name: string): Promise<void> {
    this.#toxics.delete(name);
    await this.#ask('DELETE', `${this.#path}/toxics/${name}`);
  }

  async #clear(): Promise<void> {
    for (const name of [...this.#toxics]) await this.#remove(name);
  }

  async #enable(enabled: boolean): Promise<void> {
    if (enabled === this.#enabled) return;
    await this.#ask('POST', this.#path, { enabled });
    this.#enabled = enabled;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
