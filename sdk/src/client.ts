import type { ClientEventSource } from './client-events.ts';
import type { ConnectionState } from './connection/connection.ts';
import type { Conversation, ForwardResult, Media, Message, Operations, User, UserSummary } from './contract.ts';
import type { Clock } from './environment.ts';
import type { Presence, PresenceWatch } from './live/presence.ts';
import type { Observable } from './observable.ts';
import type { Api, CallOptions } from './rest/api.ts';
import type { SessionTokens, TokenProvider } from './rest/token-source.ts';
import type { MessageBody, Store } from './store/store.ts';
import type { UploadOptions } from './upload/upload.ts';
import type { MessageView } from './views/message-view.ts';

type Credentials =
  /** A session of the platform, refreshed by this client. `onSession` keeps the new tokens where the next start finds them. */
  | {
      session: SessionTokens;
      onSession?: (session: SessionTokens) => void | Promise<void>;
      tokenProvider?: undefined;
    }
  /** Access tokens from elsewhere. */
  | { tokenProvider: TokenProvider; session?: undefined };

export type ClientOptions = Credentials & {
  /** Of a gateway, or of what balances over several: `https://chat.example.com`. */
  url: string;
  /** Where conversations, messages and the outbox are kept; in memory when there is none. */
  store?: Store;
  /** The id of this device, kept in the store when it is not given. */
  deviceId?: string;
  /** Whose client this is, when it is known: a store that holds somebody else's things is emptied first. */
  userId?: string;
  /** Received messages are acknowledged as delivered by themselves. True by default. */
  autoDelivered?: boolean;
  /** Of a conversation that is new on this device, so many entries are taken over. 200 by default; Infinity takes all. */
  window?: number;
  /** Messages kept of each conversation. 50 by default. */
  kept?: number;
  fetch?: typeof fetch;
  clock?: Clock;
  /** In [0, 1). */
  random?: () => number;
};

export type Sending = {
  /** The message as it is shown at once. */
  message: MessageView;
  /** Resolves when the platform has it for good; rejects with a BluewaveError when it was refused for good. */
  done: Promise<Message>;
};

/** One conversation, as long as an app shows it. */
export type OpenConversation = {
  readonly id: string;
  /** Undefined while it is not known here, and after it was removed. */
  readonly conversation: Observable<Conversation | undefined>;
  /** In the order of the log, then what is on its way; with its edits, deletions and receipts. */
  readonly messages: Observable<readonly MessageView[]>;
  /** Ids of the others who type now. */
  readonly typing: Observable<readonly string[]>;
  /** Until when this user is muted for having sent too fast, ISO 8601; undefined while not. Of rooms only. */
  readonly mutedUntil: Observable<string | undefined>;
  /** Resolves when the messages kept on this device are shown. */
  readonly loaded: Promise<void>;
  /** Loads the page before the oldest message. @returns whether there is more. */
  loadOlder(): Promise<boolean>;
  /** Keeps and shows the message at once and sends it as soon as that is possible. */
  send(body: string | MessageBody): Sending;
  /**
   * Shows the edit at once; rolled back when it is refused. `target` is the `id` or `key` of an own message. Given
   * `mentions` take the place of those it has; without them it calls whom it called.
   */
  edit(target: string, text: string, options?: Pick<MessageBody, 'mentions'>): Promise<Message>;
  /** Deletes for everyone, or takes away a message that failed. `target` is the `id` or `key`. */
  delete(target: string): Promise<void>;
  /** Sends a failed message again, as a new one. `key` is that of the failed one. */
  retry(key: string): Sending | undefined;
  /** Shows an emoji on a message that was sent. `target` is the `id` or `key`, here and below. */
  react(target: string, emoji: string): Promise<void>;
  /** Takes an own emoji away. */
  unreact(target: string, emoji: string): Promise<void>;
  /** Pins a message for everybody. */
  pin(target: string): Promise<void>;
  unpin(target: string): Promise<void>;
  /** Stars a message for this user, on all their devices. */
  star(target: string): Promise<void>;
  unstar(target: string): Promise<void>;
  /** Forwards a message. A repeat with the same `idempotencyKey` forwards nothing twice. @returns a result for each. */
  forward(target: string, conversationIds: string[], options?: CallOptions): Promise<ForwardResult[]>;
  /** Everything up to `seq` was read; everything there is by default. */
  markRead(seq?: number): void;
  /** Everything up to `seq` has arrived; for clients that do not acknowledge by themselves. */
  markDelivered(seq?: number): void;
  /** Call it for each key; that it stopped is told by itself. */
  type(): void;
  close(): void;
};

type Input<O extends keyof Operations> = Operations[O]['input'];
type BodyOf<O extends keyof Operations> = Input<O> extends { body?: infer B } ? NonNullable<B> : never;
type QueryOf<O extends keyof Operations> = Input<O> extends { query?: infer Q } ? NonNullable<Q> : never;
type Answer<O extends keyof Operations> = Operations[O]['answer'];
type NewConversation<T> = Omit<Extract<BodyOf<'conversationsCreate'>, { type: T }>, 'type'>;

/** What a client asks of the platform beside messages. Everything here rejects with a BluewaveError. */
export type Commands = {
  /** The direct conversation with somebody; always the same one. */
  openDirect(userId: string): Promise<Conversation>;
  createGroup(group: NewConversation<'group'>): Promise<Conversation>;
  createRoom(room: NewConversation<'room'>): Promise<Conversation>;
  /** Rooms, also those of others (their `me` is null): by the beginnings of words (`q`), page by page. */
  discoverRooms(query?: QueryOf<'conversationsDiscover'>): Promise<Answer<'conversationsDiscover'>>;
  /** Becomes a member of a room. */
  joinRoom(conversationId: string): Promise<Conversation>;
  /** Changes what all members share: name, description, picture, history, slow mode. */
  updateConversation(conversationId: string, changes: BodyOf<'conversationsUpdate'>): Promise<Conversation>;
  /** Archives, pins or mutes a conversation for this user, on all their devices; says what of it notifies. */
  setPreferences(conversationId: string, preferences: BodyOf<'conversationsMe'>): Promise<Conversation>;
  /** Deletes a conversation for everybody; its owner may. */
  deleteConversation(conversationId: string): Promise<void>;
  addMembers(conversationId: string, userIds: string[]): Promise<Conversation>;
  removeMember(conversationId: string, userId: string): Promise<void>;
  leave(conversationId: string): Promise<void>;
  searchUsers(text: string, options?: { limit?: number; signal?: AbortSignal }): Promise<User[]>;
  /** Messages with an own star, the last star first. */
  starred(query?: QueryOf<'starsList'>): Promise<Answer<'starsList'>>;
  contacts(query?: QueryOf<'contactsList'>): Promise<Answer<'contactsList'>>;
  /** Adds a contact, or changes what this user calls them. */
  putContact(userId: string, contact?: BodyOf<'contactsPut'>): Promise<void>;
  removeContact(userId: string): Promise<void>;
  blocks(query?: QueryOf<'blocksList'>): Promise<Answer<'blocksList'>>;
  /** They cannot write to this user any more, nor see them online, and are not told. */
  block(userId: string): Promise<void>;
  unblock(userId: string): Promise<void>;
};

export type Client = Commands & {
  readonly connection: Observable<ConnectionState>;
  /** Whether everything that has happened is here. */
  readonly synced: Observable<boolean>;
  /** Pinned ones first, then by last activity. */
  readonly conversations: Observable<readonly Conversation[]>;
  /** Who this is; undefined until it is known. */
  readonly user: Observable<UserSummary | undefined>;
  readonly deviceId: string;
  /** Every REST operation of the contract. */
  readonly api: Api;
  /** @returns what ends it. */
  readonly on: ClientEventSource['on'];
  /** Connects and stays connected. Call it again when the network is back, to try at once. */
  connect(): void;
  disconnect(): void;
  open(conversationId: string): OpenConversation;
  upload(file: Blob | Uint8Array<ArrayBuffer>, options?: UploadOptions): Promise<Media>;
  /** Follows who is there, among people who share a conversation with this user. */
  watchPresence(userIds: readonly string[]): PresenceWatch;
  setStatus(status: Exclude<Presence['status'], 'offline'>): Promise<void>;
  /** Ends this session on the platform; nothing reaches this device any more. The store is emptied. */
  logout(): Promise<void>;
  /** Disconnects and writes what waits to the store. What is in the outbox is sent by the next client. */
  close(): Promise<void>;
};
