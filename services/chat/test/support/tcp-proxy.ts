import { createServer, connect, type Server, type Socket } from 'node:net';

/** Stands between a service and an engine, so that a test can take the engine away from that service alone. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #mode: 'open' | 'silent' | 'refusing' = 'open';

  private constructor(target: URL) {
    this.#server = createServer((client) => this.#serve(client, target));
  }

  static async start(targetUrl: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(targetUrl));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return address.port;
  }

  /** Nothing passes and nobody is told: a host that vanished. */
  silence(): void {
    this.#mode = 'silent';
  }

  /** All connections break and new ones too: a process that died. */
  refuse(): void {
    this.#mode = 'refusing';
    for (const socket of this.#sockets) socket.destroy();
  }

  open(): void {
    // What hung stays broken, as it would.
    for (const socket of this.#sockets) socket.destroy();
    this.#mode = 'open';
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket, target: URL): void {
    if (this.#mode === 'refusing') return void client.destroy();
    const engine = connect(Number(target.port), target.hostname);
    const pair = [client, engine];
    for (const socket of pair) {
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        for (const one of pair) one.destroy();
      });
      // A broken connection is told by its close.
      socket.on('error', () => socket.destroy());
    }
    const forward = (to: Socket) => (data: Buffer) => {
      if (this.#mode === 'open') to.write(data);
    };
    client.on('data', forward(engine));
    engine.on('data', forward(client));
  }
}
