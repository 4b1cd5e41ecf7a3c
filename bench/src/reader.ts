import { createSyncCore, type SyncEffect, type SyncInput } from '@bluewave/sdk';
import { LeanSocket } from './lean-socket.ts';

type Entry = { conversationId: string; seq: number };
type View = { id: string; head: number };

/** A lean socket that follows conversations by the SDK's rules: every entry once and in order, what is missing by sync. */
export class Reader {
  readonly #url: string;
  readonly #token: string;
  readonly #core = createSyncCore<Entry, View>({ window: Number.POSITIVE_INFINITY });
  readonly #have = new Map<string, number>();
  #socket: LeanSocket | undefined;

  private constructor(url: string, token: string, conversationIds: readonly string[]) {
    this.#url = url;
    this.#token = token;
    for (const id of conversationIds) this.#have.set(id, 0);
  }

  static async open(url: string, token: string, conversationIds: readonly string[]): Promise<Reader> {
    const reader = new Reader(url, token, conversationIds);
    await reader.comeBack();
    return reader;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  /** The last entry that was applied, all before it included. */
  have(conversationId: string): number {
    return this.#have.get(conversationId) ?? 0;
  }

  async comeBack(): Promise<void> {
    this.#socket = await LeanSocket.connect({
      url: this.#url,
      auth: { token: this.#token },
      onEvent: (_, payload) => {
        if (isEntry(payload)) this.#handle({ type: 'entry', entry: payload });
      },
      onClose: () => {
        this.#socket = undefined;
        this.#handle({ type: 'disconnected' });
      },
    });
    this.#handle({ type: 'connected' });
  }

  /** Asks for as much as it may at once. */
  askForMuch(): void {
    const cursors = Object.fromEntries([...this.#have.keys()].map((id) => [id, 0]));
    for (let asked = 0; asked < 2; asked += 1) this.#socket?.emit('sync', { cursors, limit: 200 }, () => undefined);
  }

  stall(): void {
    this.#socket?.stall();
  }

  /** The connection is gone, with all that was not read from it. */
  drop(): void {
    this.close();
    this.#socket = undefined;
    this.#handle({ type: 'disconnected' });
  }

  close(): void {
    this.#socket?.close();
  }

  #handle(input: SyncInput<Entry, View>): void {
    for (const effect of this.#core.handle(input)) this.#carryOut(effect);
  }

  #carryOut(effect: SyncEffect<Entry, View>): void {
    if (effect.type === 'apply') this.#apply(effect.entry);
    else if (effect.type === 'hold') {
      setTimeout(() => this.#handle({ type: 'holdOver', conversationId: effect.conversationId }), effect.ms);
    } else if (effect.type === 'retry') setTimeout(() => this.#handle({ type: 'retry' }), effect.ms);
    else if (effect.type === 'sync') this.#ask(effect);
  }

  #apply({ conversationId, seq }: Entry): void {
    if (seq !== this.have(conversationId) + 1)
      throw new Error(`${conversationId}: ${seq} after ${this.have(conversationId)}`);
    this.#have.set(conversationId, seq);
  }

  #ask({ request, cursors, limit, token }: Extract<SyncEffect<Entry, View>, { type: 'sync' }>): void {
    this.#socket?.emit('sync', { cursors, limit, ...(token === undefined ? {} : { token }) }, (answer) => {
      const { ok, error } = answer as { ok: boolean; error?: { code: string } };
      if (ok) return this.#handle({ type: 'answer', request, answer: answer as never });
      this.#handle({ type: 'failed', request, slow: error?.code === 'DEADLINE_EXCEEDED' });
    });
  }
}

function isEntry(payload: unknown): payload is Entry {
  return typeof (payload as Partial<Entry>).seq === 'number';
}
