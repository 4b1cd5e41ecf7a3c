import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a service and an engine, so that a test can take the engine away from that service alone. */
export class TcpProxy {
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #mode: 'open' | 'silent' | 'held' | 'refusing' = 'open';

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((client) => this.#serve(client));
  }

  /** @param targetUrl of the engine; only one host */
  static async start(targetUrl: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(new URL(targetUrl));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The target's URL by way of this proxy. */
  get url(): string {
    const { protocol, pathname } = this.#target;
    return `${protocol}//127.0.0.1:${this.port}${pathname}`;
  }

  /** What is sent is taken and lost, and nobody is told: a partition that a relay in between covers up. */
  silence(): void {
    this.#mode = 'silent';
  }

  /** What is sent is not even taken: a host that hangs or vanished. `open` lets through what came meanwhile. */
  hold(): void {
    this.#mode = 'held';
    for (const socket of this.#sockets) socket.pause();
  }

  /** All connections break and new ones too: a process that died. */
  refuse(): void {
    this.#mode = 'refusing';
    this.#breakAll();
  }

  /** Everything passes again. */
  open(): void {
    // A stream with a gap is of no use: such connections stay broken.
    if (this.#mode === 'silent') this.#breakAll();
    this.#mode = 'open';
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    this.refuse();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #breakAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(client: Socket): void {
    if (this.#mode === 'refusing') return void client.destroy();
    const engine = connect(Number(this.#target.port), this.#target.hostname);
    this.#pass(client, engine);
    this.#pass(engine, client);
    if (this.#mode === 'held') this.hold();
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (data: Buffer) => {
      if (this.#mode !== 'silent') to.write(data);
    });
    // A broken connection is told by its close.
    from.on('error', () => from.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
