import { BluewaveError, offline, toBluewaveError } from '../bluewave-error.ts';
import type { ClientEvents } from '../contract.ts';
import type { Environment } from '../environment.ts';
import { createValue, type Observable, type Value } from '../observable.ts';
import { needsNewToken } from '../rest/api.ts';
import type { TokenSource } from '../rest/token-source.ts';
import { reconnectDelay } from './backoff.ts';
import { type NextSocket, openNext } from './open-next.ts';
import { openSocket, type OpenSocket, type SocketOptions } from './open-socket.ts';

export type ConnectionState =
  /** Not asked to connect. */
  | { status: 'offline' }
  | { status: 'connecting' }
  | { status: 'connected' }
  /** Tries again by itself in `retryInMs`; `error` says why the last try failed. */
  | { status: 'waiting'; retryInMs: number; error: BluewaveError }
  /** The session has ended, or is another user's: the user must log in, and the app make a new client. */
  | { status: 'signed-out'; error: BluewaveError };

export type ConnectionOptions = {
  url: string;
  environment: Environment;
  tokens: TokenSource;
  deviceId: string | undefined;
  onConnected(): void;
  onDisconnected(): void;
  /** It went over to another gateway without a gap: nothing that is heard was missed, what a gateway keeps for a socket is. */
  onMoved(): void;
  onEvent(name: string, payload: unknown): void;
  /** How a socket is opened; other than the real way in tests. */
  open?: (options: SocketOptions) => OpenSocket;
};

/** The gateway answers a handshake well within this. */
const handshakeMs = 15_000;
/** A connection that lived this long was a good one: the next failure is the first again. */
const stableMs = 5_000;
/** What was asked over a connection that is being left is answered within this time. */
const leaveMs = 3_000;
/** After this many failures in a row every third try begins with long polling. */
const pollingAfter = 3;

/** Keeps one socket open: opens it with a good token, and again whenever it ends. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #state: Value<ConnectionState> = createValue<ConnectionState>({ status: 'offline' });
  #socket: OpenSocket | undefined;
  /** Opened beside the present one, whose gateway goes away. */
  #next: NextSocket | undefined;
  /** Taken over from; it still answers what it was asked. */
  #left: OpenSocket | undefined;
  /** The try that counts: what an older one brings is ignored. */
  #turn = 0;
  #isOpen = false;
  #failures = 0;
  /** Tokens refused in a row. */
  #refusals = 0;
  #notBefore = { at: 0, ms: 0 };
  #stopTimer: () => void = () => undefined;
  #stopMove: () => void = () => undefined;
  #stopLeaving: () => void = () => undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get state(): Observable<ConnectionState> {
    return this.#state;
  }

  /** Connects, and stays connected. While it waits to try again, it tries now. */
  connect(): void {
    const { status } = this.#state.get();
    if (status === 'offline' || status === 'waiting') this.#begin();
  }

  /** Goes offline until `connect`. */
  disconnect(): void {
    this.#end();
    if (this.#state.get().status !== 'signed-out') this.#state.set({ status: 'offline' });
  }

  /** Drops a connection that seems dead, and connects again. */
  restart(): void {
    if (this.#isOpen) this.#failed(this.#turn, offline(new Error('the connection was given up')));
  }

  /** @throws BluewaveError: the refusal, TIMEOUT, OFFLINE. */
  async ask<E extends keyof ClientEvents>(
    event: E,
    payload: ClientEvents[E]['payload'],
    timeoutMs: number,
  ): Promise<ClientEvents[E]['ack']> {
    if (!this.#socket || !this.#isOpen) throw offline();
    return this.#socket.ask(event, payload, timeoutMs);
  }

  #begin(): void {
    this.#end();
    const turn = this.#turn;
    this.#state.set({ status: 'connecting' });
    void this.#open(turn);
  }

  async #open(turn: number): Promise<void> {
    const { environment, url, deviceId, open = openSocket } = this.#options;
    const token = await this.#tokenFor(turn, (error) => this.#failed(turn, error));
    if (token === undefined) return;
    const late = (): void => this.#failed(turn, offline(new Error('the handshake took too long')));
    this.#stopTimer = environment.clock.after(handshakeMs, late);
    this.#socket = open({
      url,
      token,
      deviceId,
      polling: this.#failures > pollingAfter && this.#failures % 3 === 0,
      onOpen: () => this.#opened(turn),
      onEnd: (error) => this.#ended(turn, token, error),
      onEvent: (name, payload) => this.#heard(turn, token, name, payload),
    });
  }

  /** What to connect with; undefined when there is none, which was told, or when another turn has begun since. */
  async #tokenFor(turn: number, onFailed: (error: BluewaveError) => void): Promise<string | undefined> {
    try {
      const token = await this.#options.tokens.get();
      return turn === this.#turn ? token : undefined;
    } catch (error) {
      onFailed(toBluewaveError(error));
      return undefined;
    }
  }

  #opened(turn: number): void {
    if (turn !== this.#turn) return;
    this.#becameOpen();
    this.#isOpen = true;
    this.#refusals = 0;
    this.#state.set({ status: 'connected' });
    this.#options.onConnected();
  }

  #becameOpen(): void {
    this.#stopTimer();
    this.#stopTimer = this.#options.environment.clock.after(stableMs, () => {
      this.#failures = 0;
    });
  }

  #ended(turn: number, token: string, error: BluewaveError): void {
    if (needsNewToken(error)) this.#options.tokens.reject(token);
    this.#failed(turn, error);
  }

  #heard(turn: number, token: string, name: string, payload: unknown): void {
    if (turn !== this.#turn) return;
    if (name === 'session:revoked') this.#options.tokens.reject(token);
    if (name === 'server:draining') {
      const ms = retryAfterOf(payload);
      this.#notBefore = { at: this.#options.environment.clock.now(), ms };
      this.#moveIn(turn, ms);
    }
    this.#options.onEvent(name, payload);
  }

  #moveIn(turn: number, ms: number): void {
    this.#stopMove();
    this.#stopMove = this.#options.environment.clock.after(ms, () => void this.#move(turn));
  }

  /** Opens the next connection while this one still serves; when there is none in time, this one's end is seen to. */
  async #move(turn: number): Promise<void> {
    const { tokens, url, deviceId, open = openSocket } = this.#options;
    const token = await this.#tokenFor(turn, (error) => this.#notMoved(turn, error));
    if (token === undefined) return;
    this.#next = openNext(
      open,
      { url, token, deviceId, polling: false },
      {
        onReady: () => this.#moved(token),
        onFailed: (error) => {
          if (needsNewToken(error)) tokens.reject(token);
          this.#next = undefined;
          this.#notMoved(turn, error);
        },
      },
    );
  }

  /** Goes over a little later, unless there is no session any more: then this connection has no right to go on either. */
  #notMoved(turn: number, error: BluewaveError): void {
    if (turn !== this.#turn) return;
    if (isOver(error)) return this.#failed(turn, error);
    this.#moveIn(turn, reconnectDelay(0, error.retryAfterMs ?? 0, this.#options.environment.random()));
  }

  #moved(token: string): void {
    const next = this.#next;
    if (!next) return;
    this.#next = undefined;
    this.#leave();
    this.#turn += 1;
    const turn = this.#turn;
    this.#socket = next.take({
      onEnd: (error) => this.#ended(turn, token, error),
      onEvent: (name, payload) => this.#heard(turn, token, name, payload),
    });
    this.#notBefore = { at: 0, ms: 0 };
    this.#becameOpen();
    this.#options.onMoved();
  }

  /** Closes the present connection when what it was asked is answered; one that was left before has had its time. */
  #leave(): void {
    this.#stopLeaving();
    this.#left?.close();
    this.#left = this.#socket;
    this.#stopLeaving = this.#options.environment.clock.after(leaveMs, () => this.#left?.close());
  }

  /** A try or a connection came to its end: the next one follows, unless the session is over. */
  #failed(turn: number, error: BluewaveError): void {
    if (turn !== this.#turn) return;
    this.#end();
    if (isOver(error)) return this.#state.set({ status: 'signed-out', error });
    const retryInMs = this.#delay(error);
    this.#failures += 1;
    this.#state.set({ status: 'waiting', retryInMs, error });
    // Whoever was told of the state may have decided otherwise.
    if (this.#state.get().status !== 'waiting') return;
    this.#stopTimer = this.#options.environment.clock.after(retryInMs, () => this.#begin());
  }

  #delay(error: BluewaveError): number {
    const { clock, random } = this.#options.environment;
    if (needsNewToken(error)) {
      this.#refusals += 1;
      // The next token may be a good one: at once, but only once.
      if (this.#refusals === 1) return 0;
    }
    const { at, ms } = this.#notBefore;
    // Within its bounds also when the clock jumped in between.
    const draining = Math.min(ms, Math.max(0, at + ms - clock.now()));
    this.#notBefore = { at: 0, ms: 0 };
    return reconnectDelay(this.#failures, Math.max(error.retryAfterMs ?? 0, draining), random());
  }

  #end(): void {
    this.#turn += 1;
    for (const stop of [this.#stopTimer, this.#stopMove, this.#stopLeaving]) stop();
    for (const socket of [this.#socket, this.#next, this.#left]) socket?.close();
    this.#socket = this.#next = this.#left = undefined;
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#options.onDisconnected();
  }
}

/** The session has ended, or is another user's. */
function isOver({ code }: BluewaveError): boolean {
  return code === 'SIGNED_OUT' || code === 'OTHER_USER';
}

function retryAfterOf(payload: unknown): number {
  const { retryAfterMs } = (payload ?? {}) as { retryAfterMs?: unknown };
  return typeof retryAfterMs === 'number' && retryAfterMs > 0 ? retryAfterMs : 0;
}
