import { randomUUID } from 'node:crypto';
import type { Entry } from '@bluewave/api/objects';
import type { ClientEventAck, ClientEventName } from '@bluewave/api/socket-events';
import type { Problem } from '@bluewave/errors/problem';
import { io, type Socket } from 'socket.io-client';

export type Heard = { event: string; payload: Record<string, unknown> };
export type Answer<E extends ClientEventName> = ({ ok: true } & ClientEventAck<E>) | { ok: false; error: Problem };

/** A client that remembers what it heard, in order. */
export class TestClient {
  readonly socket: Socket;
  readonly heard: Heard[] = [];
  readonly disconnects: { reason: string; code: number | undefined }[] = [];
  #wake = new Set<() => void>();

  constructor(url: string, token: unknown, how: { polling?: boolean; origin?: string } = {}) {
    this.socket = io(url, {
      transports: how.polling ? ['polling'] : ['websocket'],
      auth: token === undefined ? {} : { token },
      reconnection: false,
      forceNew: true,
      ...(how.origin === undefined ? {} : { extraHeaders: { origin: how.origin } }),
    });
    this.socket.onAny((event: string, payload: Record<string, unknown>) => this.#note({ event, payload }));
    this.socket.on('disconnect', (reason, details) => {
      const context = (details as { context?: { code?: number } } | undefined)?.context;
      this.disconnects.push({ reason, code: context?.code });
      this.#note({ event: 'disconnect', payload: { reason } });
    });
  }

  /** Resolves when connected; rejects with the problem of the refusal. */
  connected(): Promise<void> {
    if (this.socket.connected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('connect_error', reject);
    });
  }

  /** The problem with which a connection is refused. */
  async refused(): Promise<Problem> {
    try {
      await this.connected();
    } catch (error) {
      return (error as Error & { data: Problem }).data;
    }
    throw new Error('the connection was not refused');
  }

  /** Sends any event and returns its acknowledgement. */
  async emit<E extends ClientEventName>(event: E, payload: unknown): Promise<Answer<E>> {
    return (await this.socket.timeout(5_000).emitWithAck(event, payload)) as Answer<E>;
  }

  /** Sends an event that is expected to work. */
  async ok<E extends ClientEventName>(event: E, payload: unknown): Promise<ClientEventAck<E>> {
    const answer = await this.emit(event, payload);
    if (!answer.ok) throw new Error(`${event}: ${JSON.stringify(answer.error)}`);
    return answer;
  }

  say(conversationId: string, text: string): Promise<ClientEventAck<'message:send'>> {
    return this.ok('message:send', { conversationId, clientMsgId: randomUUID(), text });
  }

  /** What was heard but for presence, which comes when it comes. */
  get story(): Heard[] {
    return this.heard.filter(({ event }) => event !== 'presence');
  }

  /** What was heard of an event. */
  of(event: string): Record<string, unknown>[] {
    return this.heard.filter((heard) => heard.event === event).map(({ payload }) => payload);
  }

  /** The entries heard of a conversation, in the order they came. */
  entries(conversationId: string): Entry[] {
    return this.heard
      .filter(({ payload }) => payload['conversationId'] === conversationId && typeof payload['seq'] === 'number')
      .map(({ payload }) => payload as Entry);
  }

  seqs(conversationId: string): number[] {
    return this.entries(conversationId).map(({ seq }) => seq);
  }

  /** Resolves when `test` holds for what was heard; rejects after `ms`. */
  async until(what: string, test: (client: this) => boolean, ms = 5_000): Promise<void> {
    if (test(this)) return;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake.delete(look);
      };
      const look = (): void => {
        if (!test(this)) return;
        done();
        resolve();
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`not within ${ms} ms: ${what}; heard ${JSON.stringify(this.heard.slice(-5))}`));
      }, ms);
      this.#wake.add(look);
    });
  }

  /** Resolves when an event was heard that fits. */
  async hear(event: string, fits: (payload: Record<string, unknown>) => boolean = () => true, ms = 5_000) {
    await this.until(event, (client) => client.of(event).some(fits), ms);
    return this.of(event).find(fits) ?? {};
  }

  close(): void {
    this.socket.disconnect();
  }

  #note(heard: Heard): void {
    this.heard.push(heard);
    for (const wake of [...this.#wake]) wake();
  }
}
