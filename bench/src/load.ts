import { randomUUID } from 'node:crypto';
import type { LeanSocket } from './lean-socket.ts';
import { type Percentiles, percentiles } from './latencies.ts';

/** A sender and what it sends to. */
export type Lane = { sender: LeanSocket; conversationId: string; readers: number };

export type LoadResult = {
  acked: number;
  failed: number;
  delivered: number;
  /** Deliveries that were expected of acked messages. */
  expected: number;
  seconds: number;
  ackedPerSecond: number;
  ack: Percentiles;
  delivery: Percentiles;
};

/** Matches deliveries with sends by clientMsgId, in one process and so on one clock. */
export class LoadMeter {
  readonly #sentAt = new Map<string, number>();
  ackTimes: number[] = [];
  deliveryTimes: number[] = [];
  failed = 0;
  expected = 0;

  /** To be given to every reading socket. */
  readonly hear = (name: string, payload: unknown): void => {
    if (name !== 'message:new') return;
    const sent = this.#sentAt.get((payload as { message: { clientMsgId: string } }).message.clientMsgId);
    if (sent !== undefined) this.deliveryTimes.push(performance.now() - sent);
  };

  send(lane: Lane, done: () => void): void {
    const clientMsgId = randomUUID();
    const started = performance.now();
    this.#sentAt.set(clientMsgId, started);
    lane.sender.emit(
      'message:send',
      {
        conversationId: lane.conversationId,
        clientMsgId,
        text: 'How about lunch at the usual place, half past twelve?',
      },
      (answer) => {
        if ((answer as { ok: boolean }).ok) {
          this.ackTimes.push(performance.now() - started);
          this.expected += lane.readers;
        } else this.failed += 1;
        done();
      },
    );
  }

  /** Waits up to 3 s for what is still on its way, then tells. */
  async result(seconds: number): Promise<LoadResult> {
    const until = performance.now() + 3_000;
    while (this.deliveryTimes.length < this.expected && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return {
      acked: this.ackTimes.length,
      failed: this.failed,
      delivered: this.deliveryTimes.length,
      expected: this.expected,
      seconds,
      ackedPerSecond: Math.round(this.ackTimes.length / seconds),
      ack: percentiles(this.ackTimes),
      delivery: percentiles(this.deliveryTimes),
    };
  }
}

/** Every lane keeps `outstanding` sends open for `seconds`. */
export async function closedLoop(meter: LoadMeter, lanes: Lane[], outstanding: number, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1_000;
  await Promise.all(
    lanes.flatMap((lane) =>
      Array.from(
        { length: outstanding },
        () =>
          new Promise<void>((resolve) => {
            const next = (): void => (performance.now() < until ? meter.send(lane, next) : resolve());
            next();
          }),
      ),
    ),
  );
}

/** Sends at a fixed rate, whatever the answers do: a server that falls behind shows it in the latencies. */
export async function openLoop(meter: LoadMeter, lanes: Lane[], perSecond: number, seconds: number): Promise<void> {
  const started = performance.now();
  const total = perSecond * seconds;
  let answered = 0;
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1_000) * perSecond) + 1);
    for (; sent < due; sent += 1) meter.send(lanes[sent % lanes.length] as Lane, () => (answered += 1));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const until = performance.now() + 5_000; answered < total && performance.now() < until;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
