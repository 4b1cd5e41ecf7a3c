import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BareEngine, locateEngine, waitForPort } from '@bluewave/dev-env/engines/bare-engine';
import { locateNats } from '@bluewave/dev-env/find/locate-nats';
import { freePort } from '@bluewave/dev-env/net/free-port';
import { TcpProxy } from '@bluewave/dev-env/net/tcp-proxy';
import { createLogger } from '@bluewave/runtime/logger';
import { EventBus } from '../src/event-bus.ts';
import { WorkConsumer } from '../src/work-consumer.ts';

const log = createLogger('events-test', process.env['TEST_LOG_LEVEL'] ?? 'silent');
const natsUrl = process.env['TEST_NATS_URL'] ?? '';
const encode = (text: string): Uint8Array => Buffer.from(text);
const decode = (data: Uint8Array): string => Buffer.from(data).toString();

/** Waits until it holds. */
const until = async (holds: () => boolean, withinMs = 10_000): Promise<void> => {
  for (const end = Date.now() + withinMs; !holds();) {
    if (Date.now() > end) throw new Error(`not so within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

describe('given a bus whose server can vanish', () => {
  let wire: TcpProxy;
  let bus: EventBus;
  let other: EventBus;
  let subject: string;
  let heard: string[];
  let healed: number;
  beforeEach(async () => {
    wire = await TcpProxy.start(natsUrl);
    bus = new EventBus({ url: wire.url, name: 'events-test', log, pingMs: 200 });
    other = new EventBus({ url: natsUrl, name: 'events-test', log });
    subject = `test.${randomUUID()}`;
    heard = [];
    healed = 0;
    for (const one of [bus, other]) one.subscribe(`${subject}.*`, ({ data }) => heard.push(decode(data)));
    for (const one of [bus, other]) await (await one.connection()).flush();
    bus.onHealed(() => (healed += 1));
    await until(() => healed === 1);
  });
  afterEach(async () => {
    await Promise.all([bus.close(), other.close()]);
    await wire.close();
  });

  /** That both hear what either says. */
  const worksBothWays = async (): Promise<void> => {
    await (await bus.connection()).flush();
    expect(bus.publish(`${subject}.a`, encode('from it'))).toBe(true);
    other.publish(`${subject}.b`, encode('to it'));
    await until(() => heard.length === 4);
    expect(heard.toSorted()).toEqual(['from it', 'from it', 'to it', 'to it']);
  };

  it('when the server dies and comes back, then nothing is published meanwhile, and it counts the break', async () => {
    expect(bus.breaks).toBe(0);
    wire.refuse();
    await until(() => !bus.connected);
    expect({ sent: bus.publish(`${subject}.a`, encode('lost')), breaks: bus.breaks }).toEqual({
      sent: false,
      breaks: 1,
    });
    wire.open();
    await until(() => bus.connected);
    expect({ breaks: bus.breaks, healed }).toEqual({ breaks: 1, healed: 2 });
    await worksBothWays();
  });

  it('when its host takes nothing more while much is sent, then the bus connects anew as soon as that is known', async () => {
    const work: string[] = [];
    const stream = {
      ...{ name: `TEST_${subject.slice(5)}`, subjects: [`work.${subject}`], workQueue: true },
      ...{ maxAgeMs: 600_000, maxBytes: 1_000_000, duplicateWindowMs: 60_000 },
    } as never;
    const consumer = new WorkConsumer({
      ...{ bus, stream, replicas: 1, durable: 'test', concurrency: 1, ackWaitMs: 10_000, log },
      async handle({ data }) {
        work.push(decode(data));
        return { kind: 'done' };
      },
    });
    const jetstream = (await other.connection()).jetstream();
    await until(() => work.length > 0 || (other.publish(`work.${subject}`, encode('first')), false));
    wire.hold();
    const before = await bus.connection();
    // More than the host's and its own kernel take: the client cannot even send what says that it goes.
    for (let sent = 0; sent < 40; sent++) bus.publish(`${subject}.large`, new Uint8Array(500_000));
    await until(() => !bus.connected);
    expect(before.isClosed()).toBe(true);
    wire.refuse();
    wire.open();
    await until(() => bus.connected);
    expect(bus.breaks).toBeGreaterThan(0);
    expect(healed).toBe(2);
    await worksBothWays();
    await jetstream.publish(`work.${subject}`, encode('second'));
    await until(() => work.includes('second'));
    await consumer.close();
    await (await other.connection()).jetstreamManager().then((jsm) => jsm.streams.delete(`TEST_${subject.slice(5)}`));
  });
});

describe('given a bus whose server forgets the password for a while', () => {
  it('when it knows it again, then the bus is connected again', async () => {
    const port = await freePort();
    const binary = await locateEngine(locateNats);
    const start = async (password: string): Promise<BareEngine> => {
      const address = ['--addr', '127.0.0.1', '--port', String(port)];
      const server = new BareEngine(binary, [...address, '--user', 'u', '--pass', password]);
      await waitForPort(port);
      return server;
    };
    let server = await start('right');
    const bus = new EventBus({ url: `nats://u:right@127.0.0.1:${port}`, name: 'events-test', log });
    const heard: string[] = [];
    bus.subscribe('test', ({ data }) => heard.push(decode(data)));
    const before = await bus.connection();
    await server.stop();
    server = await start('other');
    await before.closed();
    expect(bus.connected).toBe(false);
    await server.stop();
    server = await start('right');
    await until(() => bus.connected);
    bus.publish('test', encode('again'));
    await until(() => heard.length > 0);
    expect(heard).toEqual(['again']);
    await bus.close();
    await server.stop();
  });
});
