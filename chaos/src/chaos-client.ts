import { io, type Socket } from 'socket.io-client';
import type { AckedSend, DeviceView, OpenSend, SeenEntry } from './ledger.ts';

export type Account = { userId: string; deviceId: string; token: string };

/** How a socket ended: the code of its close frame, or undefined when it was cut without one. */
export type SocketEnd = { reason: string; code: number | undefined };

/** Where the last attempt of a reconnection spent its time: before it, until the transport was open, until let in. */
export type ReconnectSteps = { pauseMs: number; openMs: number; admitMs: number };

/** What a run may want to know while it is under way. */
export type ClientObserver = {
  onApplied?(entry: SeenEntry): void;
  onSocketEnd?(end: SocketEnd): void;
  onRetry?(clientMsgId: string, why: string): void;
  onAcked?(clientMsgId: string): void;
  /** It went over to another gateway and was never away. */
  onMoved?(): void;
  /** It is connected again, so long after the end of its last socket; `refusals` are what attempts before failed with. */
  onReconnect?(afterMs: number, refusals: readonly string[], steps: ReconnectSteps): void;
};

/** How long to wait, in milliseconds, after so many failures in a row; `floorMs` is what the server asked for (0: nothing). */
export type Pace = {
  reconnect(failures: number, floorMs: number, random: number): number;
  resend(failures: number, floorMs: number, random: number): number;
};

/** Soon, so that a run sees at once when a gateway is there again. */
const soon: Pace = {
  reconnect: (_failures, floorMs, random) => Math.max(50, floorMs) + random * 450,
  resend: (_failures, floorMs, random) => Math.max(50, floorMs) + random * 200,
};

type WireEntry = Record<string, unknown> & { conversationId: string; seq: number };
type Refusal = Error & { data?: { retryAfterMs?: number } };
type Ack = { ok: boolean; error?: { code: string; retryAfterMs?: number } } & Record<string, unknown>;

const entryEvents = ['message:new', 'message:edited', 'message:deleted', 'member:added', 'member:removed'] as const;
const retryable = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INTERNAL', 'RATE_LIMITED', 'TOO_MANY_CONNECTIONS'];
const holdMs = 300;
const ackMs = 4_000;
/** What was asked over a socket that is being left is answered within this time. */
const leaveMs = 3_000;

/**
 * A device that follows the client rules: it applies an entry when it is the next one, drops what it has, holds what
 * came too early for 300 ms and then syncs; it sends through an outbox, in order per conversation, with the same
 * clientMsgId until there is a definitive answer.
 */
export class ChaosClient {
  readonly account: Account;
  readonly view: DeviceView;
  readonly acked: AckedSend[] = [];
  /** Definitive refusals, by code. */
  readonly refused = new Map<string, number>();
  readonly #gateways: readonly string[];
  readonly #random: () => number;
  readonly #observer: ClientObserver;
  readonly #pace: Pace;
  readonly #have = new Map<string, number>();
  readonly #early = new Map<string, Map<number, WireEntry & { type: string }>>();
  readonly #outbox = new Map<string, { clientMsgId: string; text: string }[]>();
  #socket: Socket | undefined;
  #syncing: Promise<void> | undefined;
  #syncAgain = false;
  /** From the last sync that left nothing to be read: the next one is told only what moved since. */
  #syncToken: string | undefined;
  #closed = false;
  #reconnects = 0;
  #failures = 0;
  /** Those who wait until it is connected, or closed. */
  readonly #awaiting = new Set<() => void>();
  #lastFailure = 'none';
  #awaySince: number | undefined;
  #refusals: string[] = [];

  constructor(
    account: Account,
    gateways: readonly string[],
    random: () => number,
    observer: ClientObserver = {},
    pace: Pace = soon,
  ) {
    this.account = account;
    this.#gateways = gateways;
    this.#random = random;
    this.#observer = observer;
    this.#pace = pace;
    this.view = { device: account.deviceId, userId: account.userId, applied: [], arrived: [] };
    this.#connect();
  }

  get connected(): boolean {
    return this.#socket?.connected === true;
  }

  get reconnects(): number {
    return this.#reconnects;
  }

  /** Sends that have no definitive answer yet. */
  get open(): OpenSend[] {
    return [...this.#outbox].flatMap(([conversationId, queue]) =>
      queue.map(({ clientMsgId }) => ({ conversationId, clientMsgId, lastFailure: this.#lastFailure })),
    );
  }

  send(conversationId: string, clientMsgId: string, text: string): void {
    const queue = this.#outbox.get(conversationId) ?? [];
    this.#outbox.set(conversationId, queue);
    if (queue.push({ clientMsgId, text }) === 1) void this.#drain(conversationId, queue);
  }

  /** Asks for everything that is missing; resolves when the log's end was reached once. */
  async sync(): Promise<void> {
    if (this.#syncing) {
      this.#syncAgain = true;
      return this.#syncing;
    }
    this.#syncing = this.#syncAll().finally(() => (this.#syncing = undefined));
    return this.#syncing;
  }

  close(): void {
    this.#closed = true;
    this.#socket?.disconnect();
    this.#wake();
  }

  #open(): Socket {
    const gateway = this.#gateways[Math.floor(this.#random() * this.#gateways.length)] as string;
    const { token, deviceId } = this.account;
    return io(gateway, {
      auth: { token, deviceId },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: 3_000,
    });
  }

  #connect(): void {
    const socket = this.#open();
    this.#socket = socket;
    const triedAt = Date.now();
    let openAt = triedAt;
    socket.io.once('open', () => void (openAt = Date.now()));
    socket.on('connect', () => {
      if (this.#awaySince !== undefined) {
        const now = Date.now();
        const steps = { pauseMs: triedAt - this.#awaySince, openMs: openAt - triedAt, admitMs: now - openAt };
        this.#observer.onReconnect?.(now - this.#awaySince, this.#refusals, steps);
      }
      this.#awaySince = undefined;
      this.#refusals = [];
      this.#failures = 0;
      this.#wake();
      this.#syncSoon();
    });
    socket.on('connect_error', (error: Refusal) => {
      this.#refusals.push(error.message);
      this.#again(socket, error.message, error.data?.retryAfterMs ?? 0);
    });
    this.#listen(socket);
  }

  /** What there is to hear over a socket that is, or becomes, the present one. */
  #listen(socket: Socket): void {
    // Where the server says when to come back, not before.
    let notBefore = 0;
    socket.on('server:draining', ({ retryAfterMs }: { retryAfterMs: number }, acknowledge?: () => void) => {
      acknowledge?.();
      notBefore = Date.now() + Math.min(5_000, retryAfterMs);
      this.#moveIn(socket, retryAfterMs);
    });
    socket.on('disconnect', (reason, details) => {
      if (!this.#closed) this.#observer.onSocketEnd?.({ reason, code: closeCodeOf(reason, details) });
      if (this.#socket === socket) this.#awaySince = Date.now();
      this.#again(socket, reason, Math.max(0, notBefore - Date.now()));
    });
    socket.on('conversation:added', () => this.#syncSoon());
    for (const type of entryEvents) socket.on(type, (entry: WireEntry) => this.#hear({ ...entry, type }));
  }

  /** Connects again, unless another socket has taken over. */
  #again(socket: Socket, why: string, floorMs: number): void {
    this.#lastFailure = why;
    if (this.#closed || this.#socket !== socket) return;
    this.#socket = undefined;
    this.#reconnects += 1;
    setTimeout(() => this.#connect(), this.#pace.reconnect(this.#failures, floorMs, this.#random()));
    this.#failures += 1;
  }

  #moveIn(socket: Socket, ms: number): void {
    setTimeout(() => {
      if (!this.#closed && this.#socket === socket && socket.connected) this.#move(socket);
    }, ms);
  }

  /** Opens the next connection while this one still serves, then leaves it with time for what it was asked. */
  #move(present: Socket): void {
    const next = this.#open();
    next.on('connect_error', ({ data }: Refusal) => {
      this.#moveIn(present, this.#pace.reconnect(0, data?.retryAfterMs ?? 0, this.#random()));
    });
    next.on('connect', () => {
      if (this.#closed || this.#socket !== present) return void next.disconnect();
      this.#socket = next;
      this.#listen(next);
      this.#observer.onMoved?.();
      this.#syncSoon();
      setTimeout(() => present.off('disconnect').disconnect(), leaveMs);
    });
  }

  #hear(entry: WireEntry & { type: string }): void {
    this.view.arrived.push({ conversationId: entry.conversationId, seq: entry.seq, at: Date.now() });
    const have = this.#have.get(entry.conversationId) ?? 0;
    if (entry.seq <= have) return;
    const early = this.#early.get(entry.conversationId) ?? new Map<number, WireEntry & { type: string }>();
    this.#early.set(entry.conversationId, early);
    early.set(entry.seq, entry);
    this.#applyEarly(entry.conversationId);
    if (early.size > 0) {
      setTimeout(() => {
        if (early.size > 0 && !this.#closed) this.#syncSoon();
      }, holdMs);
    }
  }

  #applyEarly(conversationId: string): void {
    const early = this.#early.get(conversationId);
    for (let entry = early?.get(this.#next(conversationId)); entry; entry = early?.get(this.#next(conversationId))) {
      early?.delete(entry.seq);
      this.#apply(entry);
    }
    for (const seq of early?.keys() ?? []) if (seq < this.#next(conversationId)) early?.delete(seq);
  }

  #next(conversationId: string): number {
    return (this.#have.get(conversationId) ?? 0) + 1;
  }

  #apply(entry: WireEntry & { type: string }): void {
    this.#have.set(entry.conversationId, entry.seq);
    const seen = seenEntry(entry);
    this.view.applied.push(seen);
    this.#observer.onApplied?.(seen);
  }

  #syncSoon(): void {
    this.sync().catch(() => {
      // The socket went away in the middle: the next connection syncs.
    });
  }

  async #syncAll(): Promise<void> {
    for (let more = true; more && !this.#closed;) {
      this.#syncAgain = false;
      const since = this.#syncToken === undefined ? {} : { token: this.#syncToken };
      const answer = await this.#ask('sync', { cursors: Object.fromEntries(this.#have), limit: 200, ...since });
      if (!answer.ok) throw new Error(`sync was refused: ${answer.error?.code}`);
      const pages = answer['conversations'] as { entries: (WireEntry & { type: string })[]; hasMore: boolean }[];
      for (const { entries } of pages) {
        for (const entry of entries) {
          if (entry.seq === this.#next(entry.conversationId)) this.#apply(entry);
        }
        if (entries[0]) this.#applyEarly(entries[0].conversationId);
      }
      const isBehind = pages.some(({ hasMore }) => hasMore);
      if (!isBehind) this.#syncToken = answer['token'] as string;
      more = isBehind || this.#syncAgain;
    }
  }

  async #drain(conversationId: string, queue: { clientMsgId: string; text: string }[]): Promise<void> {
    let failures = 0;
    for (let head = queue[0]; head && !this.#closed; head = queue[0]) {
      const { clientMsgId, text } = head;
      const answer = await this.#ask('message:send', { conversationId, clientMsgId, text }).catch(() => null);
      const code = answer?.ok === false ? (answer.error?.code ?? '') : '';
      if (answer?.ok) {
        const { seq } = answer['message'] as { seq: number };
        this.acked.push({ conversationId, seq, senderId: this.account.userId, clientMsgId });
        this.#observer.onAcked?.(clientMsgId);
        queue.shift();
        failures = 0;
      } else if (answer && !retryable.includes(code)) {
        this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
        queue.shift();
      } else {
        const { connected } = this;
        this.#lastFailure = code || (connected ? 'no answer' : 'not connected');
        this.#observer.onRetry?.(clientMsgId, this.#lastFailure);
        if (connected) await this.#resendPause(failures, answer);
        else await this.#connection();
        failures += 1;
      }
    }
  }

  #resendPause(failures: number, answer: Ack | null): Promise<void> {
    const ms = this.#pace.resend(failures, answer?.error?.retryAfterMs ?? 0, this.#random());
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Resolves when it is connected, or closed for good. */
  #connection(): Promise<void> {
    if (this.connected || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#awaiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#awaiting) resolve();
    this.#awaiting.clear();
  }

  async #ask(event: string, payload: object): Promise<Ack> {
    const socket = this.#socket;
    if (!socket?.connected) throw new Error('not connected');
    return (await socket.timeout(ackMs).emitWithAck(event, payload)) as Ack;
  }
}

/** The code of the frame that closed a socket. The server's own goodbye counts as one; 1005 and 1006 mean: none came. */
function closeCodeOf(reason: string, details: unknown): number | undefined {
  if (reason === 'io server disconnect') return 1000;
  const { context } = (details ?? {}) as { context?: { code?: number } };
  const code = context?.code;
  return code === undefined || code === 1005 || code === 1006 ? undefined : code;
}

/** What the checks need of an entry on the wire. */
export function seenEntry(entry: WireEntry & { type: string }): SeenEntry {
  const message = entry['message'] as { clientMsgId: string; sender: { id: string } } | undefined;
  return {
    conversationId: entry.conversationId,
    seq: entry.seq,
    type: entry.type,
    ...(entry.type === 'message:new' && message
      ? { clientMsgId: message.clientMsgId, senderId: message.sender.id }
      : {}),
    ...(entry.type === 'member:added' ? { userIds: entry['userIds'] as string[] } : {}),
    ...(entry.type === 'member:removed' ? { userId: entry['userId'] as string } : {}),
  };
}
