import WebSocket from 'ws';
import { pause } from './gather.ts';

export type LeanSocketOptions = {
  /** `http://host:port` of a Socket.IO server. */
  url: string;
  /** Sent with the handshake. */
  auth: Record<string, unknown>;
  /** Hears every event: its name and first argument. */
  onEvent(name: string, payload: unknown): void;
  /** The server closed the connection, or it broke. */
  onClose?(code: number): void;
};

const connectMs = 30_000;
const tries = 30;

/** The server is too busy now. */
class ComeBack extends Error {
  readonly afterMs: number;

  constructor(refusal: string, afterMs: number) {
    super(refusal);
    this.afterMs = afterMs;
  }
}

/**
 * A Socket.IO client (protocol 5, WebSocket only) that does as little as possible, so that a load generator on the
 * same machine measures the server and not itself.
 */
export class LeanSocket {
  readonly #socket: WebSocket;
  readonly #options: LeanSocketOptions;
  readonly #acks = new Map<number, (answer: unknown) => void>();
  #nextAck = 0;
  #connected: ((error?: Error) => void) | undefined;

  private constructor(options: LeanSocketOptions) {
    this.#options = options;
    const url = `${options.url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`;
    this.#socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket.on('message', (data: Buffer) => this.#receive(data.toString()));
    this.#socket.on('error', (error) => this.#connected?.(error));
    this.#socket.on('close', (code) => this.#closed(code));
  }

  /** Resolves when the server accepted the connection; comes back when it is told to. */
  static async connect(options: LeanSocketOptions): Promise<LeanSocket> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await LeanSocket.#connectOnce(options);
      } catch (error) {
        if (attempt === tries || !(error instanceof ComeBack)) throw error;
        await pause(error.afterMs);
      }
    }
  }

  static async #connectOnce(options: LeanSocketOptions): Promise<LeanSocket> {
    const socket = new LeanSocket(options);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no connection within ${connectMs} ms`)), connectMs);
      socket.#connected = (error) => {
        clearTimeout(timer);
        socket.#connected = undefined;
        if (error) reject(error);
        else resolve();
      };
    });
    return socket;
  }

  /** Sends an event; `answered` is called with the first argument of its acknowledgement. */
  emit(name: string, payload: unknown, answered: (answer: unknown) => void): void {
    const id = this.#nextAck++;
    this.#acks.set(id, answered);
    this.#socket.send(`42${id}${JSON.stringify([name, payload])}`);
  }

  /** Reads nothing any more: what the server sends fills the buffers of the kernel, then those of the server. */
  stall(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.removeAllListeners();
    this.#socket.on('error', () => undefined);
    this.#socket.terminate();
  }

  #closed(code: number): void {
    if (this.#connected) this.#connected(new Error(`closed with ${code}`));
    else this.#options.onClose?.(code);
  }

  #refused(refusal: string): void {
    const { data } = JSON.parse(refusal) as { data?: { retryAfterMs?: number } };
    const after = data?.retryAfterMs;
    const connected = this.#connected;
    this.close();
    connected?.(after === undefined ? new Error(refusal) : new ComeBack(refusal, after));
  }

  #receive(packet: string): void {
    if (packet.startsWith('42')) {
      const [name, payload] = JSON.parse(packet.slice(2)) as [string, unknown];
      this.#options.onEvent(name, payload);
    } else if (packet.startsWith('43')) {
      const bracket = packet.indexOf('[');
      const id = Number(packet.slice(2, bracket));
      const answered = this.#acks.get(id);
      this.#acks.delete(id);
      answered?.((JSON.parse(packet.slice(bracket)) as unknown[])[0]);
    } else if (packet === '2') this.#socket.send('3');
    else if (packet.startsWith('0')) this.#socket.send(`40${JSON.stringify(this.#options.auth)}`);
    else if (packet.startsWith('40')) this.#connected?.();
    else if (packet.startsWith('44')) this.#refused(packet.slice(2));
  }
}
