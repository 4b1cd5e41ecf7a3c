import { spawn, type ChildProcess } from 'node:child_process';
import { builtFile } from '../paths.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';

/** What the parent tells the keeper, one JSON object a line. */
export type KeeperOrder =
  | { op: 'guard'; process: ProcessIdentity }
  | { op: 'release'; pid: number }
  | { op: 'guard-folder'; folder: string }
  | { op: 'release-folder'; folder: string };

/**
 * Ties the life of processes and temporary folders to this process, whatever way it ends: see `keeper-main.ts`, which
 * runs next to it and acts when the pipe between them closes. A keeper that is killed is replaced.
 */
export class Keeper {
  readonly #processes = new Map<number, ProcessIdentity>();
  readonly #folders = new Set<string>();
  #child: ChildProcess;
  #closed = false;

  constructor() {
    this.#child = this.#spawn();
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

  /** From now on `folder` is removed when this process ends. */
  guardFolder(folder: string): void {
    this.#folders.add(folder);
    this.#tell({ op: 'guard-folder', folder });
  }

  /** `folder` is gone already, or shall stay. */
  releaseFolder(folder: string): void {
    this.#folders.delete(folder);
    this.#tell({ op: 'release-folder', folder });
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
    for (const folder of this.#folders) this.#tell({ op: 'guard-folder', folder });
  }

  #tell(order: KeeperOrder): void {
    if (!this.#closed) this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }
}
