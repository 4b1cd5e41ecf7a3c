import { Account, openStore } from './account.ts';
import { toBluewaveError } from './bluewave-error.ts';
import type { ClientOptions } from './client.ts';
import { createClientEvents, type ClientEventSource } from './client-events.ts';
import { Connection } from './connection/connection.ts';
import { Heartbeat } from './connection/heartbeat.ts';
import type { Message } from './contract.ts';
import { type Environment, newUuid, systemClock } from './environment.ts';
import { createInbound } from './inbound.ts';
import { Mutes } from './live/mutes.ts';
import { Presences } from './live/presence.ts';
import { Typing } from './live/typing.ts';
import { createValue, type Value } from './observable.ts';
import { Outbox } from './outbox/outbox.ts';
import { type Api, createApi } from './rest/api.ts';
import { createProvidedTokens, createSessionTokens, type TokenSource } from './rest/token-source.ts';
import { Keeper } from './store/keeper.ts';
import { createMemoryStore } from './store/memory-store.ts';
import type { OutboxItem, Store, StoredState } from './store/store.ts';
import { StarSync } from './sync/star-sync.ts';
import { SyncDriver } from './sync/sync-driver.ts';
import { Conversations, type Happening } from './views/conversations.ts';
import { OpenConversations } from './views/open-conversations.ts';
import { PointerSender } from './views/pointer-sender.ts';

const sendMs = 8_000;
const deviceKey = 'deviceId';

/** Everything a client consists of, wired together. */
export class Parts {
  readonly environment: Environment;
  readonly events: ClientEventSource = createClientEvents();
  readonly synced: Value<boolean> = createValue(false);
  readonly keeper: Keeper;
  readonly api: Api;
  readonly account: Account;
  readonly deviceId: string;
  readonly connection: Connection;
  readonly heartbeat: Heartbeat;
  readonly sync: SyncDriver;
  readonly stars: StarSync;
  readonly conversations: Conversations;
  readonly open: OpenConversations;
  readonly outbox: Outbox;
  readonly pointers: PointerSender;
  readonly typing: Typing;
  readonly mutes: Mutes;
  readonly presences: Presences;
  readonly #options: ClientOptions;

  static async create(options: ClientOptions): Promise<Parts> {
    const store = options.store ?? createMemoryStore();
    return new Parts(options, store, await openStore(store, userIdOf(options)));
  }

  private constructor(options: ClientOptions, store: Store, state: StoredState) {
    this.#options = options;
    const { clock = systemClock, random = Math.random } = options;
    // Called as a function of its own: some runtimes insist on the right `this`.
    this.environment = { clock, random, fetch: options.fetch ?? ((...args) => globalThis.fetch(...args)) };
    const onProblem = (error: unknown): void => this.events.emit('problem', toBluewaveError(error));
    this.keeper = new Keeper({ store, clock, kept: options.kept ?? 50, onProblem });
    const tokens = createTokens(options, this.environment);
    this.api = createApi({ url: options.url, fetch: this.environment.fetch, tokens, clock });
    this.account = new Account(state.values, userIdOf(options), this.keeper);
    this.deviceId = this.#deviceIdFrom(state);
    this.connection = this.#createConnection(tokens);
    const { connection, account, api, keeper } = this;
    this.typing = new Typing({ connection, clock });
    this.mutes = new Mutes({ clock });
    this.presences = new Presences({ connection });
    this.open = new OpenConversations({
      api,
      clock,
      keeper,
      conversations: () => this.conversations,
      outbox: () => this.outbox,
      user: () => account.user.get(),
      isSynced: () => this.synced.get(),
      onProblem,
    });
    this.conversations = this.#createConversations(state);
    this.stars = new StarSync({
      api,
      clock,
      conversations: this.conversations,
      onStar: (star) => this.events.emit('message:starred', star),
      onProblem,
    });
    this.sync = this.#createSync(state);
    this.outbox = this.#createOutbox(state);
    this.pointers = new PointerSender({
      connection,
      clock,
      get: (id) => this.conversations.get(id),
      all: () => this.conversations.all(),
    });
    this.heartbeat = new Heartbeat({
      connection,
      clock,
      heads: () => this.sync.heads(),
      isBusy: () => this.sync.isAsking,
      onResync: () => this.sync.handle({ type: 'resync' }),
    });
  }

  /** Ends everything; what waits is written to the store, or everything in it removed. */
  async close({ clear = false } = {}): Promise<void> {
    this.connection.disconnect();
    this.outbox.close();
    for (const part of [this.heartbeat, this.sync, this.typing, this.mutes, this.pointers, this.open]) part.close();
    await this.keeper.close(clear);
  }

  #deviceIdFrom({ values }: StoredState): string {
    const given = this.#options.deviceId ?? this.#options.session?.deviceId;
    const id = given ?? values[deviceKey] ?? newUuid(this.environment.random);
    if (values[deviceKey] !== id) this.keeper.keepValue(deviceKey, id);
    return id;
  }

  #createConnection(tokens: TokenSource): Connection {
    let inbound: ((name: string, payload: unknown) => void) | undefined;
    return new Connection({
      url: this.#options.url,
      environment: this.environment,
      tokens: this.account.identifying(tokens, this.api),
      deviceId: this.deviceId,
      onConnected: () => {
        this.heartbeat.start();
        this.stars.connected();
        this.sync.handle({ type: 'connected' });
        this.outbox.connected();
        this.presences.connected();
      },
      onDisconnected: () => {
        this.synced.set(false);
        for (const part of [this.outbox, this.typing, this.presences, this.pointers, this.stars]) part.disconnected();
        this.heartbeat.close();
        this.sync.handle({ type: 'disconnected' });
      },
      onMoved: () => {
        this.heartbeat.start();
        this.sync.handle({ type: 'moved' });
        this.presences.connected();
      },
      onEvent: (name, payload) => (inbound ??= createInbound(this))(name, payload),
    });
  }

  #createConversations({ conversations }: StoredState): Conversations {
    return new Conversations({
      held: conversations,
      keeper: this.keeper,
      userId: () => this.account.id,
      onMessages: (id, change) => this.open.change(id, change),
      onForget: (id) => {
        this.pointers.forget(id);
        this.open.reset(id);
      },
      onHappenings: (happenings) => this.#follow(happenings),
      onPointers: (id) => this.open.pointersMoved(id),
    });
  }

  #createSync({ conversations }: StoredState): SyncDriver {
    return new SyncDriver({
      window: this.#options.window ?? 200,
      have: conversations.map(({ id, have }) => [id, have] as const),
      connection: this.connection,
      clock: this.environment.clock,
      onEffects: (effects) => {
        for (const effect of effects) {
          if (effect.type === 'view') this.pointers.know(effect.conversation.id, effect.conversation.me);
        }
        this.conversations.take(effects);
      },
      onAsk: () => this.stars.asked(),
      onSynced: () => {
        this.stars.synced();
        this.pointers.synced();
        if (this.synced.get()) return;
        this.synced.set(true);
        this.open.synced();
        this.events.emit('synced', {});
      },
    });
  }

  #createOutbox({ outbox }: StoredState): Outbox {
    return new Outbox({
      items: outbox,
      keeper: this.keeper,
      environment: this.environment,
      perform: (item) => this.#perform(item),
      onMessage: (message) => {
        const have = this.conversations.get(message.conversationId)?.have ?? 0;
        // Of an own send nothing more is known than when it was sent; of an edit all that is applied here.
        const asOf = message.editedAt === undefined ? message.seq : have;
        const { conversationId } = message;
        this.conversations.takeMessages([message], { conversationId, asOf, keep: true, mark: 0 });
      },
      onChange: (id) => this.open.show(id),
    });
  }

  async #perform(item: OutboxItem): Promise<Message | undefined> {
    const options = { idempotencyKey: item.id };
    switch (item.kind) {
      case 'send':
        return this.#send(item);
      case 'edit': {
        const { target, text, mentions } = item;
        const body = { text, ...(mentions === undefined ? {} : { mentions }) };
        return this.api('messagesEdit', { params: { id: target }, body }, options);
      }
      case 'delete':
        await this.api('messagesDelete', { params: { id: item.target } }, options);
        this.conversations.takeDeletion(item.conversationId, item.target, item.createdAt);
        return undefined;
    }
  }

  async #send({ id, conversationId, body }: Extract<OutboxItem, { kind: 'send' }>): Promise<Message> {
    const { attachments, ...rest } = body;
    const uploads = attachments ? { attachments: attachments.map(({ uploadId }) => uploadId) } : {};
    const payload = { conversationId, clientMsgId: id, ...rest, ...uploads };
    try {
      return (await this.connection.ask('message:send', payload, sendMs)).message;
    } catch (error) {
      if (toBluewaveError(error).code === 'TIMEOUT') this.heartbeat.probe();
      throw error;
    }
  }

  /** What follows from what happened, and then everybody else is told. */
  #follow(happenings: readonly Happening[]): void {
    const received = new Map<string, number>();
    for (const happening of happenings) {
      if (happening.type !== 'entry' || happening.entry.type !== 'message:new') continue;
      const { conversationId, seq, message } = happening.entry;
      this.typing.take({ conversationId, userId: message.sender.id, on: false });
      if (message.sender.id === this.account.id) this.outbox.saw(message);
      else received.set(conversationId, seq);
    }
    if (this.#options.autoDelivered !== false) {
      for (const [id, deliveredSeq] of received) this.want(id, { deliveredSeq });
    }
    for (const happening of happenings) this.#tell(happening);
  }

  /** Moves this user's pointers forward, here and on the platform. */
  want(conversationId: string, pointers: { readSeq?: number; deliveredSeq?: number }): void {
    this.conversations.want(conversationId, pointers);
    this.pointers.moved(conversationId);
  }

  #tell(happening: Happening): void {
    const { events } = this;
    switch (happening.type) {
      case 'entry':
        events.emit('entry', { entry: happening.entry, live: happening.live });
        events.emit(happening.entry.type, happening.entry);
        break;
      case 'added':
        events.emit('conversation:added', { conversation: happening.conversation });
        break;
      case 'removed':
        events.emit('conversation:removed', { conversationId: happening.conversationId, why: happening.why });
    }
  }
}

function userIdOf({ session, userId }: ClientOptions): string | undefined {
  return session?.user?.id ?? userId;
}

function createTokens(options: ClientOptions, { clock, fetch }: Environment): TokenSource {
  if (options.tokenProvider) return createProvidedTokens(options.tokenProvider);
  const { session, url, onSession = () => undefined } = options;
  const api = createApi({ url, fetch, clock });
  return createSessionTokens({
    session,
    clock,
    onSession,
    refresh: (refreshToken) => api('authRefresh', { body: { refreshToken } }),
  });
}
