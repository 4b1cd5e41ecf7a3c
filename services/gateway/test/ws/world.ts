import { randomUUID } from 'node:crypto';
import type { Conversation, Message, Session } from '@bluewave/api/objects';
import { createLogger } from '@bluewave/runtime/logger';
import { type RunningAuth, startAuth } from '../../../auth/src/server.ts';
import { type RunningChat, startChat } from '../../../chat/src/server.ts';
import type { GatewayConfig } from '../../src/config.ts';
import { type RunningGateway, startGateway } from '../../src/server.ts';
import { TestClient } from './test-client.ts';

const required = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run through jest`);
  return value;
};

export type WorldOptions = {
  gateways?: number;
  /** Replicas of chat, one unless more are wanted. */
  chats?: number;
  rateLimits?: boolean;
  roomLimit?: GatewayConfig['roomLimit'];
  accessSeconds?: number;
  corsOrigins?: string[];
};

/** Engines of one gateway that are not those of the rest. */
export type GatewayEngines = { redisUrl?: string; natsUrl?: string };

export type Person = Session & { userId: string };

/** Auth and chat with databases of their own and any number of gateways, all in this process, on the real engines. */
export class World {
  readonly #options: WorldOptions;
  readonly #run = randomUUID().slice(0, 8);
  readonly gateways: RunningGateway[] = [];
  readonly clients: TestClient[] = [];
  auth!: RunningAuth;
  chat!: RunningChat;
  readonly #otherChats: RunningChat[] = [];

  private constructor(options: WorldOptions) {
    this.#options = options;
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    world.auth = await startAuth(world.#authConfig(), world.#log('auth'));
    world.chat = await world.startChat(0);
    for (let i = 1; i < (options.chats ?? 1); i += 1) world.#otherChats.push(await world.startChat(0));
    for (let i = 0; i < (options.gateways ?? 2); i += 1) await world.addGateway();
    return world;
  }

  startChat(grpcPort: number): Promise<RunningChat> {
    return startChat(
      {
        ...this.#shared('chat'),
        host: '127.0.0.1',
        grpcPort,
        streamReplicas: 1,
        memberLimits: { group: 1_000, room: 10_000 },
        editWindowMs: 86_400_000,
        retention: { keepMs: 0, archiveMs: 0, sweepMs: 600_000 },
        policies: { direct: 'anyone', group: 'anyone', room: 'anyone', webhook: undefined },
      },
      this.#log('chat'),
    );
  }

  async addGateway(engines: GatewayEngines = {}): Promise<RunningGateway> {
    const gateway = await startGateway(
      {
        production: false,
        logLevel: 'silent',
        bindHost: '127.0.0.1',
        httpPort: 0,
        adminPort: 0,
        natsUrl: engines.natsUrl ?? required('TEST_NATS_URL'),
        redisCommandMs: 250,
        redisUrl: engines.redisUrl ?? required('TEST_REDIS_URL'),
        authAddress: `127.0.0.1:${this.auth.grpcPort}`,
        chatAddress: [this.chat, ...this.#otherChats].map(({ grpcPort }) => `127.0.0.1:${grpcPort}`).join(','),
        mediaAddress: '127.0.0.1:1',
        pushAddress: '127.0.0.1:1',
        tls: undefined,
        tokenIssuer: 'bluewave',
        tokenAudience: 'bluewave',
        accessTokenSeconds: this.#options.accessSeconds ?? 900,
        rateLimits: this.#options.rateLimits ?? false,
        messagesPerMinute: 60,
        roomLimit: this.#options.roomLimit ?? { max: 5, windowMs: 10_000, muteMs: 30_000 },
        corsOrigins: this.#options.corsOrigins ?? [],
        peersPatienceMs: 500,
        publicUrl: undefined,
        trustedProxies: [],
      },
      this.#log('gateway'),
    );
    this.gateways.push(gateway);
    return gateway;
  }

  url(gateway = 0): string {
    return `http://127.0.0.1:${this.gateways[gateway]?.httpPort ?? 0}`;
  }

  /** Calls REST on a gateway. @returns status and body. */
  async rest(method: string, path: string, token?: string, body?: unknown, gateway = 0, headers = {}) {
    const response = await fetch(`${this.url(gateway)}/api/v1${path}`, {
      method,
      headers: {
        ...headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  /** The same, of which only success is expected; repeated under one key, as clients do, when it was not in time. */
  async ok<T>(method: string, path: string, token?: string, body?: unknown, gateway = 0): Promise<T> {
    const key = method === 'GET' ? {} : { 'idempotency-key': randomUUID() };
    for (let left = 5; ; left -= 1) {
      const answer = await this.rest(method, path, token, body, gateway, key);
      if (answer.status < 300) return answer.body as T;
      const { code } = answer.body as { code?: string };
      const isLate = answer.status === 503 || answer.status === 504 || code === 'REQUEST_IN_PROGRESS';
      if (!isLate || left === 0) {
        throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  async person(name: string): Promise<Person> {
    const username = `${name}_${randomUUID().slice(0, 8)}`;
    const session = await this.ok<Session>('POST', '/auth/register', undefined, {
      email: `${username}@example.com`,
      username,
      password: 'a long enough password',
      displayName: name,
    });
    return { ...session, userId: session.user.id };
  }

  /** As many people as names. */
  async people<N extends string[]>(...names: N): Promise<{ [K in keyof N]: Person }> {
    return (await Promise.all(names.map((name) => this.person(name)))) as { [K in keyof N]: Person };
  }

  group(owner: Person, ...members: Person[]): Promise<Conversation> {
    const memberIds = members.map(({ userId }) => userId);
    return this.ok('POST', '/conversations', owner.accessToken, { type: 'group', name: 'Group', memberIds });
  }

  direct(one: Person, other: Person): Promise<Conversation> {
    return this.ok('POST', '/conversations', one.accessToken, { type: 'direct', userId: other.userId });
  }

  async send(from: Person, conversationId: string, text: string): Promise<Message> {
    const body = { clientMsgId: randomUUID(), text };
    const path = `/conversations/${conversationId}/messages`;
    return (await this.ok<{ message: Message }>('POST', path, from.accessToken, body)).message;
  }

  /** A connected client of a person. */
  async connect(person: Person, gateway = 0, how: { polling?: boolean; origin?: string } = {}): Promise<TestClient> {
    const client = this.client(person.accessToken, gateway, how);
    await client.connected();
    return client;
  }

  /** A client that has begun to connect. */
  client(token: unknown, gateway = 0, how: { polling?: boolean; origin?: string } = {}): TestClient {
    const client = new TestClient(this.url(gateway), token, how);
    this.clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    await Promise.all(this.gateways.map((gateway) => gateway.close()));
    await Promise.all([this.chat, ...this.#otherChats].map((chat) => chat.close()));
    await this.auth.close();
  }

  #log(service: string) {
    return createLogger(service, process.env['TEST_LOG_LEVEL'] ?? 'silent');
  }

  #shared(service: string) {
    return {
      logLevel: 'silent',
      adminPort: 0,
      tls: undefined,
      allowedCallers: [],
      mongodbUrl: required('TEST_MONGODB_URL'),
      mongodbDatabase: `gateway_ws_${service}_${this.#run}`,
      slowQueryMs: 200,
      relaxedReads: 'primary' as const,
      natsUrl: required('TEST_NATS_URL'),
    };
  }

  #authConfig() {
    return {
      ...this.#shared('auth'),
      bindHost: '127.0.0.1',
      grpcPort: 0,
      redisUrl: required('TEST_REDIS_URL'),
      tokens: {
        keys: undefined,
        issuer: 'bluewave',
        audience: 'bluewave',
        accessSeconds: this.#options.accessSeconds ?? 900,
        refreshSeconds: 86_400,
      },
      echoCodes: true,
      rateLimits: false,
      delivery: { smtp: undefined, webhook: undefined },
    };
  }
}
