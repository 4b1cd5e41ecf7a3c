import { createAdapter, type RedisAdapter } from '@socket.io/redis-adapter';
import { closeRedis, connectRedis } from '@bluewave/redis/connect';
import type { Logger } from '@bluewave/runtime/logger';
import { Redis } from 'ioredis';

export type AdapterHandle = {
  adapter: (namespace: unknown) => RedisAdapter;
  /** Whether publishes reach Redis now, as far as is known. */
  reachesOthers(): boolean;
  /** Calls back for each publish that failed: other gateways may not have heard it. */
  onFailure(listener: () => void): void;
  close(): void;
};

/**
 * The Socket.IO adapter that carries ephemeral signals between gateways, on two connections of its own. Without Redis
 * signals stay on this gateway: publishes that fail are told of and forgotten, subscriptions come back by themselves.
 */
export function createRedisAdapter(url: string, log: Logger): AdapterHandle {
  const publisher = connectRedis({ url, name: 'gateway-adapter-pub', log });
  // A subscriber queues what it was asked before there was a connection, and asks it again after each reconnect.
  const subscriber = new Redis(url, {
    connectionName: 'gateway-adapter-sub',
    connectTimeout: 1_000,
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1_000),
  });
  subscriber.on('error', (error: unknown) => log.debug({ err: error }, 'the adapter cannot hear Redis'));
  const subscribed = (asked: Promise<unknown>): void => {
    asked.catch((error: unknown) => log.warn({ err: error }, 'the adapter could not subscribe'));
  };
  const listeners: (() => void)[] = [];
  const failed = (): void => listeners.forEach((listener) => listener());
  // The adapter awaits none of its commands: their failures would end the process.
  const publishing = {
    publish: (channel: string, message: string | Buffer) => void publisher.publish(channel, message).catch(failed),
    on: () => undefined,
    off: () => undefined,
    listenerCount: () => 2,
  };
  const subscribing = {
    psubscribe: (pattern: string) => subscribed(subscriber.psubscribe(pattern)),
    subscribe: (channels: string[]) => subscribed(subscriber.subscribe(...channels)),
    punsubscribe: (pattern: string) => subscribed(subscriber.punsubscribe(pattern)),
    unsubscribe: (channels: string[]) => subscribed(subscriber.unsubscribe(...channels)),
    on: (event: string, listener: (...heard: unknown[]) => void) => void subscriber.on(event, listener),
    off: (event: string, listener: (...heard: unknown[]) => void) => void subscriber.off(event, listener),
    listenerCount: () => 2,
  };
  return {
    adapter: createAdapter(publishing, subscribing, { key: 'bluewave:adapter', parser: tolerantParser }),
    reachesOthers: () => publisher.status === 'ready',
    onFailure: (listener) => void listeners.push(listener),
    close: () => {
      closeRedis(publisher);
      closeRedis(subscriber);
    },
  };
}

/** JSON, since our signals are JSON. What is none is passed over: the adapter ignores an empty message. */
const tolerantParser = {
  encode: (message: unknown): Buffer => Buffer.from(JSON.stringify(message)),
  decode: (bytes: Buffer): unknown => {
    try {
      const message: unknown = JSON.parse(bytes.toString());
      return Array.isArray(message) ? message : [];
    } catch {
      return [];
    }
  },
};
