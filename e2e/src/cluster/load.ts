import { randomUUID } from 'node:crypto';
import { ChaosClient, type SocketEnd } from '@bluewave/chaos/chaos-client';
import { checkLedger, isClean, type Verdict } from '@bluewave/chaos/check-ledger';
import type { SeenEntry } from '@bluewave/chaos/ledger';
import { pick, seededRandom } from '@bluewave/chaos/random';
import { type Scene, setScene } from '@bluewave/chaos/scene';
import { ledgerOf, readLogs, settleClients, waitFor } from '@bluewave/chaos/settle';
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
  /** Sockets that were closed and came back: how many, how long they were away, and why attempts before failed. */
  reconnects: { count: number; p50: number; p99: number; refusals: Record<string, number> };
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
const settleMs = 60_000;
const connectMs = 120_000;

const count = (into: Record<string, number>, key: string): void => void (into[key] = (into[key] ?? 0) + 1);

/** People who talk at an even rate, whatever happens meanwhile, and remember everything for the ledger. */
export class Load {
  readonly #scene: Scene;
  readonly #options: LoadOptions;
  readonly #clients: ChaosClient[];
  readonly #random: () => number;
  readonly #sentAt = new Map<string, number>();
  readonly #ends: Record<string, number> = {};
  readonly #reasons: Record<string, number> = {};
  #cut = 0;
  #retried = 0;
  #delays: number[] = [];
  #absences: number[] = [];
  #refusals: Record<string, number> = {};
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
    return new ChaosClient(account, [this.#options.url], seededRandom(this.#random() * 2 ** 32), {
      onApplied: (entry) => this.#delivered(account.userId, entry),
      onSocketEnd: (end) => this.#ended(end),
      onReconnect: (afterMs, refusals) => {
        this.#absences.push(afterMs);
        for (const refusal of refusals) count(this.#refusals, refusal);
      },
      onRetry: (_, why) => {
        this.#retried += 1;
        count(this.#reasons, why);
      },
    });
  }

  #delivered(userId: string, { clientMsgId, senderId }: SeenEntry): void {
    const sentAt = clientMsgId === undefined ? undefined : this.#sentAt.get(clientMsgId);
    if (sentAt !== undefined && senderId !== userId) this.#delays.push(performance.now() - sentAt);
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
    const [absences, refusals] = [this.#absences.sort((a, b) => a - b), this.#refusals];
    const seconds = (performance.now() - this.#since) / 1_000;
    this.#delays = [];
    this.#absences = [];
    this.#refusals = {};
    this.#sent = 0;
    this.#since = performance.now();
    return {
      ...{ name, seconds: Math.round(seconds), sent, deliveries: delays.length },
      ...{ p50: percentile(delays, 50), p99: percentile(delays, 99), max: percentile(delays, 100) },
      reconnects: {
        count: absences.length,
        p50: percentile(absences, 50),
        p99: percentile(absences, 99),
        refusals,
      },
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
