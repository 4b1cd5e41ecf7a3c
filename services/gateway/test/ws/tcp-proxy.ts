import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A wire to an engine that can be cut, and mended. */
export class TcpProxy {
  readonly #server: Server;
  readonly #path: string;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(target: URL) {
    this.#path = target.pathname;
    this.#server = createServer((socket) => {
      if (this.#isCut) return void socket.destroy();
      const upstream = connect(Number(target.port), target.hostname);
      for (const [from, to] of [
        [socket, upstream],
        [upstream, socket],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
  }

  static async start(targetUrl: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(targetUrl));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The target's URL through this wire. */
  url(scheme: string): string {
    return `${scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}${this.#path}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Nothing comes through for a while; nothing is lost. */
  hold(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  release(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
