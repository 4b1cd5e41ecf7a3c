import { AsyncLocalStorage } from 'node:async_hooks';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, type AgentOptions } from 'node:https';
import { connect as connectClear } from 'node:net';
import type { Duplex } from 'node:stream';
import { gunzipSync, inflateSync } from 'node:zlib';

/** What the provider said to the one request of a send. */
export type RawAnswer = { status: number; retryAfter: string | undefined; body: string };

const longestBody = 64 * 1024;

/**
 * One send as seen from the wire: exactly one request leaves, and none after `end` or when it may not any more. The Admin SDK neither takes an abort
 * signal nor tells headers, and would repeat by itself for longer than a send may last; all of that is done here.
 */
export class WatchedSend {
  #request: ClientRequest | undefined;
  #ended = false;
  #resolve: (answer: RawAnswer) => void = () => undefined;
  #answered = false;
  readonly #mayLeave: () => boolean;

  /** @param mayLeave asked right before the request leaves. */
  constructor(mayLeave: () => boolean) {
    this.#mayLeave = mayLeave;
  }

  /** The answer, when its body is complete; for ever pending when none comes. */
  readonly answer = new Promise<RawAnswer>((resolve) => (this.#resolve = resolve));

  get isAnswered(): boolean {
    return this.#answered;
  }

  /** Cuts the request that is under way; later ones never leave. */
  end(): void {
    this.#ended = true;
    if (!this.#answered) this.#request?.destroy(new Error('the send was aborted'));
  }

  /** @internal the agent hands each request over before it sends it. */
  watch(request: ClientRequest): void {
    if (this.#ended || this.#request) {
      request.destroy(new Error('a send is one request'));
      return;
    }
    this.#request = request;
    this.#stopLate();
    // What is written to a new connection leaves when it stands, which may be much later.
    request.once('socket', (socket) => {
      if (!socket.connecting) return;
      for (const event of ['connect', 'secureConnect']) socket.once(event, () => this.#stopLate());
    });
    request.once('response', (response: IncomingMessage) => this.#listen(response));
  }

  #stopLate(): void {
    if (!this.#mayLeave()) this.#request?.destroy(new Error('the send may not leave any more'));
  }

  #listen(response: IncomingMessage): void {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= longestBody) chunks.push(chunk);
    });
    response.once('end', () => {
      this.#answered = true;
      this.#resolve({
        status: response.statusCode ?? 0,
        retryAfter: response.headers['retry-after'],
        body: plainText(Buffer.concat(chunks)),
      });
    });
  }
}

/** The body as text; told by its first bytes whether it is packed, since the SDK takes the header away. */
function plainText(body: Buffer): string {
  try {
    if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body, { maxOutputLength: longestBody }).toString();
    if (body[0] === 0x78) return inflateSync(body, { maxOutputLength: longestBody }).toString();
    return body.toString();
  } catch {
    // A broken body tells nothing; the status still does.
    return '';
  }
}

const current = new AsyncLocalStorage<WatchedSend>();

/** Runs `work`, whose requests through a `WatchedAgent` belong to `send`. */
export function runWatched<T>(send: WatchedSend, work: () => Promise<T>): Promise<T> {
  return current.run(send, work);
}

/** Node's agents have it, their types do not: every request passes here before it gets a socket. */
type AddsRequests = { addRequest(request: ClientRequest, options: object): void };
const inherited = Agent.prototype as unknown as AddsRequests;

/** Where requests go instead of their host: a clear-text endpoint for development and tests. */
export type ClearEndpoint = { host: string; port: number };

/** The agent of the provider's connections: keeps them, and lets the send that a request belongs to watch it. */
export class WatchedAgent extends Agent {
  readonly #instead: ClearEndpoint | undefined;

  constructor(options: AgentOptions, instead: ClearEndpoint | undefined) {
    super(options);
    this.#instead = instead;
  }

  /** Called by Node for each request. */
  addRequest(request: ClientRequest, options: object): void {
    current.getStore()?.watch(request);
    inherited.addRequest.call(this, request, options);
  }

  override createConnection(...args: Parameters<Agent['createConnection']>): Duplex | null | undefined {
    if (this.#instead) return connectClear(this.#instead.port, this.#instead.host);
    return super.createConnection(...args);
  }
}
