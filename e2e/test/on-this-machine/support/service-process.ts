import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '@bluewave/dev-env/net/free-port';
import { eventually } from '../../../src/api-client.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

export type LogLine = { level: string; message: string };
const complaintLevels = ['warn', 'error', 'fatal'];
export type ServiceName = 'auth' | 'chat' | 'gateway' | 'media' | 'push';

/** A service as a process of its own, as in a container: only the environment that it is given. */
export class ServiceProcess {
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #adminPort: number;
  readonly #ended: Promise<number | null>;

  private constructor(name: ServiceName, env: Record<string, string>, adminPort: number) {
    this.#adminPort = adminPort;
    this.#child = spawn(process.execPath, [`services/${name}/dist/main.js`], {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '', BIND_HOST: '127.0.0.1', ADMIN_PORT: String(adminPort), ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#ended = once(this.#child, 'close').then(([code]) => code as number | null);
    if (!this.#child.stdout) throw new Error('no output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as LogLine);
    });
  }

  static async start(name: ServiceName, env: Record<string, string>): Promise<ServiceProcess> {
    return new ServiceProcess(name, env, await freePort());
  }

  /** The messages of warnings and worse. */
  get complaints(): string[] {
    return this.lines.filter(({ level }) => complaintLevels.includes(level)).map(({ message }) => message);
  }

  /** Its exit code; it has to end by itself. */
  exit(): Promise<number | null> {
    return this.#ended;
  }

  /** What a readiness probe would be told. */
  async readiness(): Promise<'ready' | `not ready: ${string}`> {
    try {
      const probe = { signal: AbortSignal.timeout(2_000) };
      const { status } = await fetch(`http://127.0.0.1:${this.#adminPort}/readyz`, probe);
      return status === 200 ? 'ready' : `not ready: ${status}`;
    } catch (error) {
      return `not ready: ${String(error)}`;
    }
  }

  async waitReady(): Promise<void> {
    await eventually(
      () => this.readiness(),
      (readiness) => readiness === 'ready',
      20_000,
    );
  }

  /** Asks it to stop. @returns its exit code */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    return this.#ended;
  }
}
