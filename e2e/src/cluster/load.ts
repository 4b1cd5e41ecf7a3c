import { randomUUID } from 'node:crypto';
import { ChaosClient, type ClientObserver, type ReconnectSteps, type SocketEnd } from '@bluewave/chaos/chaos-client';
import { checkLedger, isClean, type Verdict } from '@bluewave/chaos/check-ledger';
import type { SeenEntry } from '@bluewave/chaos/ledger';
import { pick, seededRandom } from '@bluewave/chaos/random';
import { type Scene, setScene } from '@bluewave/chaos/scene';
import { ledgerOf, readLogs, settleClients, waitFor } from '@bluewave/chaos/settle';
import { reconnectDelay, resendDelay } from '@bluewave/sdk';
import { percentile } from './figures.ts';

export type LoadOptions = { url: string; sockets: number; perSecond: number; seed: number };

/** What a stretch of a run was like for those who talk. Times in milliseconds, from the send to a member's device. */
export type Stretch = {
  name: string;
  seconds: number;
  sent: number;
  deliveries: number;
  p50: number;
  p99: number;
  max: number;
  /** Of the deliveries that took longer than the goal, how many had what in their way; one may have had both. */
  late: { count: number; senderWaited: number; readerAway: number; neither: number };
  /** Sockets that went over to another gateway without being away. */
  moved: number;
  reconnects: Reconnects;
};

/** Sockets that were closed and came back. */
export type Reconnects = {
  count: number;
  /** How long they were away. */
  p50: number;
  p99: number;
  /** The 99th percentile of each step: the pause before, until the transport was open, until they were let in. */
  steps: ReconnectSteps;
  /** Why attempts before failed. */
  refusals: Record<string, number>;
};

export type LoadResult = {
  acked: number;
  /** Sends that were refused, and sends that never had an answer. */
  failed: number;
  /** Tries that had no answer, or one that asked to come again, and were repeated with the same id. */
  retried: number;
  reasons: Record<string, number>;
  reconnects: number;
  socketEnds: Record<string, number>;
  cutSockets: number;
  verdict: Verdict;
  clean: boolean;
};

const tickMs = 20;
/** From here on a delivery is late, and a sender who had no answer for so long has waited. */
const lateMs = 1_000;
const waitedMs = lateMs / 2;
const settleMs = 60_000;
const connectMs = 120_000;

const nothingLate = (): Stretch['late'] => ({ count: 0, senderWaited: 0, readerAway: 0, neither: 0 });

const count = (into: Record<string, number>, key: string): void => void (into[key] = (into[key] ?? 0) + 1);

function reconnectsOf(
  absences: readonly (ReconnectSteps & { afterMs: number })[],
  refusals: Record<string, number>,
): Reconnects {
  const of = (share: number, pick: (one: ReconnectSteps & { afterMs: number }) => number): number =>
    percentile(
      absences.map(pick).sort((a, b) => a - b),
      share,
    );
  return {
    count: absences.length,
    p50: of(50, ({ afterMs }) => afterMs),
    p99: of(99, ({ afterMs }) => afterMs),
    steps: {
      pauseMs: of(99, ({ pauseMs }) => pauseMs),
      openMs: of(99, ({ openMs }) => openMs),
      admitMs: of(99, ({ admitMs }) => admitMs),
    },
    refusals,
  };
}

/** People who talk at an even rate, whatever happens meanwhile, and remember everything for the ledger. */
export class Load {
  readonly #scene: Scene;
  readonly #options: LoadOptions;
  readonly #clients: ChaosClient[];
  readonly #random: () => number;
  readonly #sentAt = new Map<string, number>();
  readonly #ackedAt = new Map<string, number>();
  /** When each person's newest connection began, by user. */
  readonly #backAt = new Map<string, number>();
  readonly #ends: Record<string, number> = {};
  readonly #reasons: Record<string, number> = {};
  #cut = 0;
  #retried = 0;
  #delays: number[] = [];
  #late: Stretch['late'] = nothingLate();
  #absences: (ReconnectSteps & { afterMs: number })[] = [];
  #refusals: Record<string, number> = {};
  #moved = 0;
  #sent = 0;
  #since = performance.now();
  #owed = 0;
  #last = performance.now();
  #timer: NodeJS.Timeout | undefined;

  private constructor(scene: Scene, options: LoadOptions) {
    this.#scene = scene;
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#clients = scene.people.map((account) => this.#client(account));
  }

  /** Registers everybody, opens the conversations, connects the sockets and begins to talk. */
  static async start(options: LoadOptions): Promise<Load> {
    const load = new Load(await setScene([options.url], options.sockets), options);
    await waitFor(connectMs, () => load.#clients.every(({ connected }) => connected));
    const missing = load.#clients.filter(({ connected }) => !connected).length;
    if (missing > 0) throw new Error(`${missing} of ${options.sockets} sockets did not connect`);
    load.#last = performance.now();
    load.#timer = setInterval(() => load.#talk(), tickMs);
    return load;
  }

  #client(account: Scene['people'][number]): ChaosClient {
    const observer: ClientObserver = {
      onApplied: (entry) => this.#delivered(account.userId, entry),
      onSocketEnd: (end) => this.#ended(end),
      onAcked: (clientMsgId) => void this.#ackedAt.set(clientMsgId, performance.now()),
      onMoved: () => void (this.#moved += 1),
      onReconnect: (afterMs, refusals, steps) => {
        this.#backAt.set(account.userId, performance.now());
        this.#absences.push({ ...steps, afterMs });
        for (const refusal of refusals) count(this.#refusals, refusal);
      },
      onRetry: (_, why) => {
        this.#retried += 1;
        count(this.#reasons, why);
      },
    };
    return new ChaosClient(account, [this.#options.url], seededRandom(this.#random() * 2 ** 32), observer, {
      reconnect: reconnectDelay,
      resend: resendDelay,
    });
  }

  #delivered(userId: string, { clientMsgId, senderId }: SeenEntry): void {
    const sentAt = clientMsgId === undefined ? undefined : this.#sentAt.get(clientMsgId);
    if (clientMsgId === undefined || sentAt === undefined || senderId === userId) return;
    const delay = performance.now() - sentAt;
    this.#delays.push(delay);
    if (delay > lateMs) this.#explain(userId, clientMsgId, sentAt);
  }

  #explain(userId: string, clientMsgId: string, sentAt: number): void {
    const waited = (this.#ackedAt.get(clientMsgId) ?? performance.now()) - sentAt > waitedMs;
    const away = (this.#backAt.get(userId) ?? 0) > sentAt;
    this.#late.count += 1;
    if (waited) this.#late.senderWaited += 1;
    if (away) this.#late.readerAway += 1;
    if (!waited && !away) this.#late.neither += 1;
  }

  #ended({ reason, code }: SocketEnd): void {
    count(this.#ends, `${code ?? 'no code'}: ${reason}`);
    if (code === undefined) this.#cut += 1;
  }

  /** Sends what is due since the last time: the rate holds even when a tick comes late. */
  #talk(): void {
    const now = performance.now();
    this.#owed += ((now - this.#last) * this.#options.perSecond) / 1_000;
    this.#last = now;
    for (; this.#owed >= 1; this.#owed -= 1) {
      const { id, memberIds } = pick(this.#random, this.#scene.conversations);
      const members = this.#clients.filter(({ account }) => memberIds.includes(account.userId));
      const clientMsgId = randomUUID();
      this.#sentAt.set(clientMsgId, performance.now());
      this.#sent += 1;
      pick(this.#random, members).send(id, clientMsgId, `message ${this.#sent}`);
    }
  }

  /** Closes a stretch: what was sent and delivered since the last call. */
  stretch(name: string): Stretch {
    const [delays, sent] = [this.#delays.sort((a, b) => a - b), this.#sent];
    const [absences, refusals] = [this.#absences, this.#refusals];
    const [late, moved] = [this.#late, this.#moved];
    const seconds = (performance.now() - this.#since) / 1_000;
    this.#delays = [];
    this.#late = nothingLate();
    this.#absences = [];
    this.#refusals = {};
    this.#moved = 0;
    this.#sent = 0;
    this.#since = performance.now();
    return {
      ...{ name, seconds: Math.round(seconds), sent, deliveries: delays.length },
      ...{ p50: percentile(delays, 50), p99: percentile(delays, 99), max: percentile(delays, 100) },
      late,
      moved,
      reconnects: reconnectsOf(absences, refusals),
    };
  }

  /** Stops talking, waits until everything has settled, and compares what was promised and shown with the log. */
  async finish(): Promise<LoadResult> {
    clearInterval(this.#timer);
    await settleClients(this.#clients, settleMs);
    const ledger = ledgerOf(this.#clients, this.#scene, []);
    const verdict = checkLedger(ledger, await readLogs([this.#options.url], this.#scene));
    const refused: Record<string, number> = {};
    for (const client of this.#clients) {
      for (const [code, times] of client.refused) refused[code] = (refused[code] ?? 0) + times;
    }
    const refusals = Object.values(refused).reduce((sum, times) => sum + times, 0);
    this.close();
    return {
      acked: ledger.acked.length,
      failed: refusals + ledger.unresolved.length,
      retried: this.#retried,
      reasons: { ...this.#reasons, ...refused },
      reconnects: this.#clients.reduce((sum, { reconnects }) => sum + reconnects, 0),
      socketEnds: this.#ends,
      cutSockets: this.#cut,
      verdict,
      clean: isClean(verdict),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    for (const client of this.#clients) client.close();
  }
}
