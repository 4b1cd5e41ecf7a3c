import {
  BluewaveError,
  type Client,
  createClient,
  createMemoryStore,
  type Entry,
  type OpenConversation,
  type Session,
  type Store,
} from '@bluewave/sdk';
import type { FaultyLink } from './faulty-link.ts';

/** What one device's callback saw of a conversation while it was in it, without interruption. */
export type Stay = { conversationId: string; entries: Entry[] };
export type Sent = { conversationId: string; key: string; text: string };

/** A device behind a bad network. It is reloaded now and then: another client goes on with the same store. */
export class ChaosDevice {
  readonly name: string;
  readonly proxy: FaultyLink;
  readonly stays: Stay[] = [];
  /** In the order of the calls. */
  readonly sent: Sent[] = [];
  /** What the client told of as wrong, and edits that were refused. */
  readonly problems: string[] = [];
  reconnects = 0;
  reloads = 0;
  #session: Session;
  readonly #store: Store = keptOpen(createMemoryStore());
  readonly #current = new Map<string, Stay>();
  #client: Client | undefined;

  constructor(name: string, session: Session, proxy: FaultyLink) {
    this.name = name;
    this.#session = session;
    this.proxy = proxy;
  }

  get userId(): string {
    return this.#session.user.id;
  }

  get client(): Client {
    if (!this.#client) throw new Error(`${this.name} has no client`);
    return this.#client;
  }

  async start(): Promise<void> {
    const client = await createClient({
      url: this.proxy.url,
      session: this.#session,
      onSession: (session) => void (this.#session = { ...this.#session, ...session, user: this.#session.user }),
      store: this.#store,
      window: Number.POSITIVE_INFINITY,
    });
    this.#client = client;
    client.on('entry', ({ entry }) => this.#saw(entry));
    client.on('conversation:removed', ({ conversationId }) => void this.#current.delete(conversationId));
    client.on('problem', (error) => this.problems.push(error.code));
    client.connection.subscribe(({ status }) => {
      if (status === 'connected') this.reconnects += 1;
      if (status === 'signed-out') this.problems.push('signed out');
    });
    client.connect();
  }

  /** The page is reloaded, whatever is under way. */
  async reload(): Promise<void> {
    this.reloads += 1;
    const { client } = this;
    this.#client = undefined;
    await client.close();
    await this.start();
  }

  send(conversationId: string): void {
    const conversation = this.client.open(conversationId);
    const text = `${this.name} ${this.sent.length}`;
    const { message } = conversation.send(text);
    this.sent.push({ conversationId, key: message.key, text });
    conversation.close();
  }

  /** Edits the last message of this device that a conversation shows, sent or not. */
  async edit(conversationId: string): Promise<void> {
    const client = this.client;
    const conversation = client.open(conversationId);
    await conversation.loaded;
    const shown = new Set(conversation.messages.get().map(({ key }) => key));
    const last = this.sent.findLast(({ key }) => shown.has(key));
    // The page may have been reloaded meanwhile.
    if (last && this.#client === client) this.#edit(conversation, last);
    conversation.close();
  }

  #edit(conversation: OpenConversation, last: Sent): void {
    last.text = `${last.text}!`;
    conversation.edit(last.key, last.text).catch((error: unknown) => {
      // With another page the edit goes on; the log says at the end whether it was done.
      if (!(error instanceof BluewaveError) || error.code !== 'CLOSED') this.problems.push(String(error));
    });
  }

  /** How many operations wait. */
  async open(): Promise<number> {
    return (await this.#store.load()).outbox.length;
  }

  heads(): Map<string, number> {
    return new Map([...this.#current].map(([id, { entries }]) => [id, entries.at(-1)?.seq ?? 0]));
  }

  #saw(entry: Entry): void {
    const { conversationId } = entry;
    let stay = this.#current.get(conversationId);
    if (!stay) {
      stay = { conversationId, entries: [] };
      this.#current.set(conversationId, stay);
      this.stays.push(stay);
    }
    stay.entries.push(entry);
  }
}

/** A store that another client goes on with after this one closed it. */
function keptOpen(store: Store): Store {
  return { ...store, close: async () => undefined };
}
