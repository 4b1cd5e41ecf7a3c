import { spawn, type ChildProcess } from 'node:child_process';
import { builtFile } from '../paths.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';

/** What the parent tells the keeper, one JSON object a line. */
export type KeeperOrder =
  | { op: 'guard'; process: ProcessIdentity }
  | { op: 'release'; pid: number }
  | { op: 'guard-path'; path: string }
  | { op: 'release-path'; path: string };

/**
 * Ties the life of processes and temporary paths to this process, whatever way it ends: see `keeper-main.ts`, which
 * runs next to it and acts when the pipe between them closes. A keeper that is killed is replaced.
 */
export class Keeper {
  readonly #processes = new Map<number, ProcessIdentity>();
  readonly #paths = new Set<string>();
  #child: ChildProcess;
  #closed = false;

  constructor() {
    this.#child = this.#spawn();
  }

  /** Who the keeper itself is; null when it could not be started. */
  get identity(): ProcessIdentity | null {
    return this.#child.pid === undefined ? null : identify(this.#child.pid);
  }

  /** From now on `pid` ends when this process ends. Returns who it is. */
  guard(pid: number): ProcessIdentity {
    const identity = identify(pid);
    this.#processes.set(pid, identity);
    this.#tell({ op: 'guard', process: identity });
    return identity;
  }

  /** `pid` has ended, or shall outlive this process. */
  release(pid: number): void {
    this.#processes.delete(pid);
    this.#tell({ op: 'release', pid });
  }

  /** From now on `path` (a file or a folder with all in it) is removed when this process ends. */
  guardPath(path: string): void {
    this.#paths.add(path);
    this.#tell({ op: 'guard-path', path });
  }

  /** `path` is gone already, or shall stay. */
  releasePath(path: string): void {
    this.#paths.delete(path);
    this.#tell({ op: 'release-path', path });
  }

  /** Lets the keeper go; it ends what is still guarded. Resolves when it has. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.ref();
    child.stdin?.end();
    await ended;
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [builtFile('processes/keeper-main.js')], {
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
      env: { PATH: process.env['PATH'] },
    });
    child.unref();
    // Writing to a keeper that was just killed fails here; its 'exit' brings the next one.
    child.stdin?.on('error', () => undefined);
    child.once('exit', () => {
      if (!this.#closed) this.#replace();
    });
    return child;
  }

  #replace(): void {
    this.#child = this.#spawn();
    for (const one of this.#processes.values()) this.#tell({ op: 'guard', process: one });
    for (const path of this.#paths) this.#tell({ op: 'guard-path', path });
  }

  #tell(order: KeeperOrder): void {
    if (!this.#closed) this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }
}
