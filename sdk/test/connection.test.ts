import { describe, expect, it } from '@jest/globals';
import { BluewaveError, type ErrorCode } from '@bluewave/sdk';
import fc from 'fast-check';
import { reconnectDelay } from '../src/connection/backoff.ts';
import { Connection } from '../src/connection/connection.ts';
import { Heartbeat } from '../src/connection/heartbeat.ts';
import type { OpenSocket, SocketOptions } from '../src/connection/open-socket.ts';
import { ManualClock, settle } from './support/manual-clock.ts';

type Opened = SocketOptions & { closed: boolean };

/** A connection whose sockets are in the hands of the test. */
function createConnection({ random = 0.5, tokens = ['t1', 't2', 't3', 't4'] as (string | BluewaveError)[] } = {}) {
  const clock = new ManualClock();
  const opened: Opened[] = [];
  const rejected: string[] = [];
  const events: string[] = [];
  let turn = 0;
  const connection = new Connection({
    url: 'http://gateway',
    environment: { clock, random: () => random, fetch },
    tokens: {
      get: async () => {
        const token = tokens[Math.min(turn, tokens.length - 1)] ?? '';
        if (token instanceof BluewaveError) throw token;
        return token;
      },
      reject: (token) => {
        rejected.push(token);
        turn += 1;
      },
    },
    deviceId: 'd1',
    onConnected: () => events.push('connected'),
    onDisconnected: () => events.push('disconnected'),
    onMoved: () => events.push('moved'),
    onEvent: (name) => events.push(name),
    open: (options): OpenSocket => {
      const socket: Opened = { ...options, closed: false };
      opened.push(socket);
      return {
        ask: async () => ({ by: opened.indexOf(socket) }) as never,
        close: () => void (socket.closed = true),
      };
    },
  });
  const connect = async (): Promise<Opened> => {
    connection.connect();
    await settle();
    return opened.at(-1) as Opened;
  };
  /** Connected to a gateway that goes away. */
  const connectDraining = async (retryAfterMs: number): Promise<Opened> => {
    const socket = await connect();
    socket.onOpen();
    socket.onEvent('server:draining', { retryAfterMs });
    return socket;
  };
  return { connection, clock, opened, rejected, events, connect, connectDraining };
}

const problem = (code: ErrorCode, retryAfterMs?: number) =>
  new BluewaveError(code, code, { retryable: code !== 'TOKEN_EXPIRED', retryAfterMs });
const broken = () => new BluewaveError('OFFLINE', 'gone', { retryable: true });

describe('the delay before connecting again', () => {
  it('given any failures, floor and chance, when it is computed, then it lies between the floor and the ceiling', () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.nat(30_000),
        fc.float({ min: 0, max: Math.fround(0.999), noNaN: true }),
        (failures, floor, chance) => {
          const delay = reconnectDelay(failures, floor, chance);
          expect(delay).toBeGreaterThanOrEqual(floor);
          expect(delay).toBeLessThanOrEqual(Math.max(floor, 5_000));
        },
      ),
    );
    expect([0, 1, 2, 3, 9].map((failures) => reconnectDelay(failures, 0, 1))).toEqual([
      1_000, 2_000, 4_000, 5_000, 5_000,
    ]);
  });
});

describe('a connection', () => {
  it('given a gateway, when it lets the device in, then it is connected with the token and the device', async () => {
    const { connect, connection, events } = createConnection();
    const socket = await connect();
    expect(socket).toMatchObject({ url: 'http://gateway', token: 't1', deviceId: 'd1', polling: false });
    expect(connection.state.get()).toEqual({ status: 'connecting' });
    socket.onOpen();
    expect([connection.state.get(), events]).toEqual([{ status: 'connected' }, ['connected']]);
  });

  it('given connections that end, when they do, then the waits grow and start again after a good one', async () => {
    const { connect, connection, opened, clock } = createConnection();
    await connect();
    const waits: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      opened.at(-1)?.onEnd(broken());
      const state = connection.state.get();
      waits.push(state.status === 'waiting' ? state.retryInMs : -1);
      await clock.pass(state.status === 'waiting' ? state.retryInMs : 0);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 2_500]);
    opened.at(-1)?.onOpen();
    await clock.pass(5_000);
    opened.at(-1)?.onEnd(broken());
    expect(connection.state.get()).toMatchObject({ status: 'waiting', retryInMs: 500 });
  });

  it('given many failures in a row, when it tries on, then some tries begin with long polling', async () => {
    const { connect, connection, opened, clock } = createConnection();
    await connect();
    for (let round = 0; round < 9; round += 1) {
      opened.at(-1)?.onEnd(broken());
      await clock.pass(5_000);
    }
    expect(opened.map(({ polling }) => polling)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
    expect(connection.state.get().status).toBe('connecting');
  });

  it('given a server that names a time, when it refuses or drains, then the device does not come before it', async () => {
    const { connect, connection, opened, clock } = createConnection();
    (await connect()).onEnd(problem('UNAVAILABLE', 7_000));
    expect(connection.state.get()).toMatchObject({ status: 'waiting', retryInMs: 7_000 });
    await clock.pass(7_000);
    const socket = opened.at(-1) as Opened;
    socket.onOpen();
    socket.onEvent('server:draining', { retryAfterMs: 9_000 });
    await clock.pass(2_000);
    socket.onEnd(broken());
    expect(connection.state.get()).toMatchObject({ status: 'waiting', retryInMs: 7_000 });
  });

  it('given a server that drains, when its time comes, then the next connection takes over and nobody was away', async () => {
    const { connectDraining, connection, opened, clock, events } = createConnection();
    const first = await connectDraining(2_000);
    await clock.pass(1_999);
    expect(opened).toHaveLength(1);
    await clock.pass(1);
    const second = opened.at(-1) as Opened;
    second.onEvent('typing', {});
    first.onEvent('message:new', {});
    expect([opened.length, first.closed, connection.state.get().status]).toEqual([2, false, 'connected']);
    second.onOpen();
    second.onEvent('message:new', {});
    first.onEvent('message:new', {});
    first.onEnd(broken());
    expect(await connection.ask('presence:ping', {}, 1_000)).toEqual({ by: 1 });
    await clock.pass(3_000);
    expect([first.closed, second.closed]).toEqual([true, false]);
    expect(events).toEqual(['connected', 'server:draining', 'message:new', 'moved', 'message:new']);
    second.onEnd(broken());
    expect([connection.state.get().status, events.at(-1)]).toEqual(['waiting', 'disconnected']);
  });

  it('given a server that drains, when the next one refuses, then it is tried again as told until the first one ends', async () => {
    const { connectDraining, connection, opened, clock, events } = createConnection();
    const first = await connectDraining(1_000);
    await clock.pass(1_000);
    opened.at(-1)?.onEnd(problem('UNAVAILABLE', 4_000));
    await clock.pass(3_999);
    expect([opened.length, connection.state.get().status]).toEqual([2, 'connected']);
    await clock.pass(1);
    const third = opened.at(-1) as Opened;
    first.onEnd(broken());
    expect([opened.length, third.closed, connection.state.get().status]).toEqual([3, true, 'waiting']);
    third.onOpen();
    expect(events).toEqual(['connected', 'server:draining', 'disconnected']);
  });

  it('given a token that has expired, when it goes over, then another one is used', async () => {
    const { connectDraining, opened, clock, rejected } = createConnection();
    await connectDraining(1_000);
    await clock.pass(1_000);
    opened.at(-1)?.onEnd(problem('TOKEN_EXPIRED'));
    await clock.pass(1_000);
    expect([rejected, opened.map(({ token }) => token)]).toEqual([['t1'], ['t1', 't1', 't2']]);
  });

  it('given tokens that are out of reach, when it goes over, then it serves on and asks again', async () => {
    const { connectDraining, connection, opened, clock } = createConnection({ tokens: ['t1', broken()] });
    const first = await connectDraining(1_000);
    await clock.pass(1_000);
    opened.at(-1)?.onEnd(problem('TOKEN_EXPIRED'));
    await clock.pass(3_000);
    expect([opened.length, first.closed, connection.state.get().status]).toEqual([2, false, 'connected']);
    expect(clock.waiting).toContain(500);
  });

  it('given a session that has ended, when it goes over, then it is signed out', async () => {
    const ended = new BluewaveError('SIGNED_OUT', 'ended', { retryable: false });
    const { connectDraining, connection, opened, clock } = createConnection({ tokens: ['t1', ended] });
    const first = await connectDraining(1_000);
    await clock.pass(1_000);
    opened.at(-1)?.onEnd(problem('TOKEN_EXPIRED'));
    await clock.pass(1_000);
    expect([first.closed, connection.state.get()]).toEqual([true, { status: 'signed-out', error: ended }]);
  });

  it('given gateways that go one soon after the other, when it goes over twice, then each one left is closed', async () => {
    const { connect, opened, clock, events } = createConnection();
    (await connect()).onOpen();
    for (let move = 0; move < 2; move += 1) {
      opened.at(-1)?.onEvent('server:draining', { retryAfterMs: 500 });
      await clock.pass(500);
      opened.at(-1)?.onOpen();
    }
    expect(opened.map(({ closed }) => closed)).toEqual([true, false, false]);
    await clock.pass(3_000);
    expect(opened.map(({ closed }) => closed)).toEqual([true, true, false]);
    expect(events.filter((name) => name === 'disconnected')).toEqual([]);
  });

  it('given a move that is under way, when the app disconnects, then every connection is closed', async () => {
    const { connectDraining, connection, opened, clock } = createConnection();
    await connectDraining(1_000);
    await clock.pass(1_000);
    opened.at(-1)?.onOpen();
    opened.at(-1)?.onEvent('server:draining', { retryAfterMs: 1_000 });
    await clock.pass(1_000);
    connection.disconnect();
    await clock.pass(60_000);
    expect(opened.map(({ closed }) => closed)).toEqual([true, true, true]);
    expect(clock.waiting).toEqual([]);
  });

  it('given a clock that jumps while the server drains, when the connection ends, then the wait stays within bounds', async () => {
    for (const jump of [-86_400_000, 86_400_000]) {
      const { connectDraining, connection, clock } = createConnection();
      const socket = await connectDraining(9_000);
      clock.jump(jump);
      socket.onEnd(broken());
      const state = connection.state.get();
      expect(state.status === 'waiting' && state.retryInMs <= 9_000).toBe(true);
    }
  });

  it('given a token that has expired, when the gateway says so, then another is used at once, and only once at once', async () => {
    const { connect, connection, opened, rejected, clock } = createConnection();
    (await connect()).onEnd(problem('TOKEN_EXPIRED'));
    expect(connection.state.get()).toMatchObject({ status: 'waiting', retryInMs: 0 });
    await clock.pass(0);
    expect(opened.map(({ token }) => token)).toEqual(['t1', 't2']);
    opened.at(-1)?.onEnd(problem('TOKEN_EXPIRED'));
    expect(connection.state.get()).toMatchObject({ status: 'waiting', retryInMs: 1_000 });
    expect(rejected).toEqual(['t1', 't2']);
  });

  it('given a session that was revoked, when no other token is to be had, then it is signed out and stays so', async () => {
    const ended = new BluewaveError('SIGNED_OUT', 'ended', { retryable: false });
    const { connect, connection, rejected, events, clock, opened } = createConnection({ tokens: ['t1', ended] });
    const socket = await connect();
    socket.onOpen();
    socket.onEvent('session:revoked', {});
    socket.onEnd(broken());
    await clock.pass(60_000);
    expect(connection.state.get()).toEqual({ status: 'signed-out', error: ended });
    expect([rejected, events, opened.length]).toEqual([['t1'], ['connected', 'session:revoked', 'disconnected'], 1]);
    connection.connect();
    await settle();
    expect(opened).toHaveLength(1);
  });

  it('given a gateway that never answers the handshake, when 15 s have passed, then it is tried again', async () => {
    const { connect, connection, opened, clock } = createConnection();
    await connect();
    await clock.pass(15_000);
    expect(connection.state.get()).toMatchObject({ status: 'waiting' });
    expect(opened[0]?.closed).toBe(true);
  });

  it('given a wait, when the app says that the network is back, then it is tried at once; after a disconnect it is not tried', async () => {
    const { connect, connection, opened, clock } = createConnection();
    (await connect()).onEnd(broken());
    await connect();
    expect(opened).toHaveLength(2);
    connection.disconnect();
    await clock.pass(60_000);
    expect([opened.length, connection.state.get(), clock.waiting]).toEqual([2, { status: 'offline' }, []]);
  });

  it('given a socket of before, when it still speaks, then nobody listens', async () => {
    const { connect, connection, events, opened } = createConnection();
    const first = await connect();
    first.onOpen();
    connection.restart();
    await connect();
    first.onEvent('message:new', {});
    first.onEnd(broken());
    first.onOpen();
    expect([events, connection.state.get().status, opened.length]).toEqual([
      ['connected', 'disconnected'],
      'connecting',
      2,
    ]);
  });

  it('given no connection, when something is asked, then it fails at once as offline', async () => {
    const { connection } = createConnection();
    await expect(connection.ask('presence:ping', {}, 1_000)).rejects.toMatchObject({
      code: 'OFFLINE',
      retryable: true,
    });
  });
});

describe('the heartbeat', () => {
  function createHeartbeat(answers: (() => { resync?: boolean })[], busy = false) {
    const clock = new ManualClock();
    const did: string[] = [];
    const heartbeat = new Heartbeat({
      connection: {
        ask: async (_event, payload) => {
          did.push(`ping ${JSON.stringify(payload)}`);
          const answer = answers.shift();
          if (!answer) throw new Error('nobody expected this');
          return { ok: true, serverTime: '2026-01-31T12:00:00.000Z', ...answer() } as never;
        },
        restart: () => did.push('restart'),
      },
      clock,
      heads: () => ({ c1: 5 }),
      isBusy: () => busy,
      onResync: () => did.push('resync'),
    });
    return { clock, did, heartbeat };
  }
  const silence = (): never => {
    throw new BluewaveError('TIMEOUT', 'silence', { retryable: true });
  };

  it('given a connection, when time passes, then every 15 s it tells what it holds, and syncs when it is told to', async () => {
    const { clock, did, heartbeat } = createHeartbeat([() => ({}), () => ({ resync: true })]);
    heartbeat.start();
    await clock.pass(15_000);
    expect(did).toEqual(['ping {"heads":{"c1":5}}']);
    await clock.pass(15_000);
    expect(did.slice(1)).toEqual(['ping {"heads":{"c1":5}}', 'resync']);
    heartbeat.close();
    await clock.pass(60_000);
    expect(did).toHaveLength(3);
  });

  it('given a connection that is half open, when nothing comes back, then it is dropped, unless a large answer is on its way', async () => {
    const dead = createHeartbeat([silence]);
    dead.heartbeat.start();
    dead.heartbeat.probe();
    await settle();
    expect(dead.did).toEqual(['ping {"heads":{"c1":5}}', 'restart']);
    const busy = createHeartbeat([silence], true);
    busy.heartbeat.start();
    busy.heartbeat.probe();
    await settle();
    expect(busy.did).toEqual(['ping {"heads":{"c1":5}}']);
  });
});
