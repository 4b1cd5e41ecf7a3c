import { cutConnection } from './close-socket.ts';
import { bytesWaiting, connectionOf, type EngineConnection, webSocketOf } from './engine-connection.ts';
import { roomOf } from './room-names.ts';
import type { SocketMetrics } from './socket-metrics.ts';
import type { GatewayServer, GatewaySocket } from './socket-types.ts';

export type SlowConsumerLimits = {
  /** Bytes queued above which ephemeral events pass a socket by. */
  ephemeralBytes: number;
  /** Bytes queued above which a socket must be moving, and for `overMs` at most: the answer of a large sync passes. */
  maxBytes: number;
  overMs: number;
  /** Bytes queued above which it is cut however fast it reads. */
  hardBytes: number;
  /** Without any progress for this long a socket is cut; for half as long above `maxBytes`. */
  stallMs: number;
  sampleMs: number;
};

export const slowConsumerLimits: SlowConsumerLimits = {
  ephemeralBytes: 256 * 1024,
  maxBytes: 1024 * 1024,
  overMs: 10_000,
  hardBytes: 8 * 1024 * 1024,
  stallMs: 2_000,
  sampleMs: 250,
};

/** Polling peers are silent between two polls: only a dead one stays so for this many stalls. */
const pollingPatience = 5;

type Backlog = {
  /** The queue as it was: another array means that it was flushed. */
  queue: EngineConnection['writeBuffer'];
  /** Bytes handed to the WebSocket that are not with the kernel yet, two measures of it. */
  buffered: number;
  inKernelQueue: number;
  movedAt: number;
  overSince: number | undefined;
};

/**
 * Keeps peers that do not read from eating the gateway's memory: looks at what is queued for each socket four times a
 * second, lets ephemeral events pass by those with a backlog and cuts those that stall. They come back and sync.
 */
export class SlowConsumers {
  readonly #io: GatewayServer;
  readonly #metrics: Pick<SocketMetrics, 'closed'>;
  readonly #limits: SlowConsumerLimits;
  readonly #now: () => number;
  readonly #backlogs = new Map<GatewaySocket, Backlog>();
  readonly #timer: NodeJS.Timeout;
  #sampledAt: number;
  /** Time in which peers could have been served, milliseconds: a pause of this process is not theirs. */
  #time = 0;

  constructor(
    io: GatewayServer,
    metrics: Pick<SocketMetrics, 'closed'>,
    limits = slowConsumerLimits,
    now: () => number = Date.now,
  ) {
    this.#io = io;
    this.#metrics = metrics;
    this.#limits = limits;
    this.#now = now;
    this.#sampledAt = now();
    this.#timer = setInterval(() => this.#sample(), limits.sampleMs);
    this.#timer.unref();
  }

  /** Sockets with something queued at the last look. */
  get size(): number {
    return this.#backlogs.size;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#backlogs.clear();
  }

  #sample(): void {
    const now = this.#now();
    this.#time += Math.min(now - this.#sampledAt, 2 * this.#limits.sampleMs);
    this.#sampledAt = now;
    for (const socket of this.#io.sockets.sockets.values()) {
      const connection = connectionOf(socket);
      // The common case, for every socket four times a second: nothing waits.
      if (connection.transport.writable && connection.writeBuffer.length === 0) {
        if (this.#backlogs.size > 0) this.#forget(socket);
      } else this.#look(socket, connection, this.#time);
    }
    for (const socket of this.#backlogs.keys()) if (!socket.connected) this.#backlogs.delete(socket);
  }

  #look(socket: GatewaySocket, connection: EngineConnection, now: number): void {
    const webSocket = webSocketOf(connection);
    const buffered = webSocket?.bufferedAmount ?? 0;
    const inKernelQueue = webSocket?._socket?._handle?.writeQueueSize ?? 0;
    const queued = bytesWaiting(connection) + Math.max(buffered, inKernelQueue);
    if (queued === 0) return this.#forget(socket);
    const before = this.#backlogs.get(socket);
    const queue = connection.writeBuffer;
    const moved =
      !before || before.queue !== queue || buffered < before.buffered || inKernelQueue < before.inKernelQueue;
    const over = queued > this.#limits.maxBytes;
    const backlog: Backlog = {
      queue,
      buffered,
      inKernelQueue,
      movedAt: moved ? now : before.movedAt,
      overSince: over ? (before?.overSince ?? now) : undefined,
    };
    this.#backlogs.set(socket, backlog);
    if (this.#isTooSlow(backlog, queued, now, webSocket === undefined)) return this.#cut(socket, connection);
    if (queued > this.#limits.ephemeralBytes) void socket.join(roomOf.backlogged);
    else if (socket.rooms.has(roomOf.backlogged)) void socket.leave(roomOf.backlogged);
  }

  #isTooSlow(backlog: Backlog, queued: number, now: number, polling: boolean): boolean {
    const { hardBytes, overMs, stallMs } = this.#limits;
    const { overSince, movedAt } = backlog;
    if (queued > hardBytes || (overSince !== undefined && now - overSince >= overMs)) return true;
    const patienceMs = (overSince === undefined ? stallMs : stallMs / 2) * (polling ? pollingPatience : 1);
    return now - movedAt >= patienceMs;
  }

  #cut(socket: GatewaySocket, connection: EngineConnection): void {
    this.#backlogs.delete(socket);
    this.#metrics.closed('slow');
    cutConnection(connection, 'slow');
  }

  #forget(socket: GatewaySocket): void {
    if (!this.#backlogs.delete(socket)) return;
    if (socket.rooms.has(roomOf.backlogged)) void socket.leave(roomOf.backlogged);
  }
}
