import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitUntil } from '../net/wait-until.ts';
import { explain, PlatformError, systemCode } from '../platform-error.ts';
import { endProcesses } from '../processes/end-processes.ts';
import { identify, isAlive, type ProcessIdentity } from '../processes/process-identity.ts';
import { readJsonFile, replaceFile } from './json-file.ts';

/** Who uses a data folder, and what must not outlive them. */
type Holder = { supervisor: ProcessIdentity; keeper: ProcessIdentity | null; children: ProcessIdentity[] };

const HOLDER_FILE = 'supervisor.json';
const MADE_BY_US = ['mongod', 'redis', 'nats', 's3', 's3-embedded', 'logs', 'token-keys.pem', 's3-secret', 'seeded'];
const NEEDED_BYTES = 400 * 1024 * 1024;
const NEARLY_FULL_BYTES = 16 * 1024 * 1024;
const LEFT_OVER_GRACE_MS = 5_000;
const KEEPER_TIMEOUT_MS = 12_000;

const isIdentity = (value: unknown): value is ProcessIdentity =>
  typeof value === 'object' &&
  value !== null &&
  'pid' in value &&
  typeof value.pid === 'number' &&
  'startTime' in value;

const readHolder = (file: string): Holder | undefined => {
  const value = readJsonFile(file);
  if (typeof value !== 'object' || value === null) return undefined;
  const { supervisor, keeper, children } = value as Partial<Record<keyof Holder, unknown>>;
  if (!isIdentity(supervisor)) return undefined;
  return {
    supervisor,
    keeper: isIdentity(keeper) ? keeper : null,
    children: Array.isArray(children) ? children.filter(isIdentity) : [],
  };
};

const freeBytes = (folder: string): number => {
  const disk = statfsSync(folder);
  return disk.bavail * disk.bsize;
};

/** Whether the disk of a folder is as good as full: what a dying engine may have died of. */
export const isDiskFull = (folder: string): boolean => freeBytes(folder) < NEARLY_FULL_BYTES;

/**
 * The folder that keeps the data of one platform. Only one platform uses it at a time: `supervisor.json` says which, and
 * names its processes so that the next one can end what a crash left behind.
 */
export class DataFolder {
  readonly path: string;
  readonly #holderFile: string;

  private constructor(folder: string) {
    this.path = folder;
    this.#holderFile = path.join(folder, HOLDER_FILE);
  }

  /**
   * Takes the folder, making it when it is missing, and ends what an earlier platform left running there.
   *
   * @throws PlatformError when another platform uses it, when it cannot be written or when its disk is full
   */
  static async take(folder: string, say: (text: string) => void): Promise<DataFolder> {
    const taken = new DataFolder(path.resolve(folder));
    try {
      mkdirSync(taken.path, { recursive: true, mode: 0o700 });
      await taken.#hold(say);
    } catch (error) {
      throw explain(error, `preparing ${taken.path}`);
    }
    const free = freeBytes(taken.path);
    if (free < NEEDED_BYTES) {
      taken.release();
      const [has, needs] = [free, NEEDED_BYTES].map((bytes) => `${Math.floor(bytes / 1024 / 1024)} MB`);
      throw new PlatformError(`The disk of ${taken.path} is full: ${has} are free and ${needs} are needed.`);
    }
    return taken;
  }

  /** Notes which processes belong to this platform now. */
  note(keeper: ProcessIdentity | null, pids: readonly number[]): void {
    const holder: Holder = { supervisor: identify(process.pid), keeper, children: pids.map(identify) };
    replaceFile(this.#holderFile, `${JSON.stringify(holder)}\n`);
  }

  /** Removes all data; what people put into the folder themselves stays. */
  empty(): void {
    for (const name of MADE_BY_US) rmSync(path.join(this.path, name), { recursive: true, force: true });
  }

  /** A text that is made once and then kept, readable by its owner only. */
  kept(name: string, make: () => string): string {
    const file = this.file(name);
    if (!existsSync(file)) replaceFile(file, make());
    return file;
  }

  /** Whether a file or folder of that name is there. */
  has(name: string): boolean {
    return existsSync(this.file(name));
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  /** Lets the next platform have it. */
  release(): void {
    rmSync(this.#holderFile, { force: true });
  }

  async #hold(say: (text: string) => void): Promise<void> {
    const mine: Holder = { supervisor: identify(process.pid), keeper: null, children: [] };
    for (;;) {
      try {
        writeFileSync(this.#holderFile, `${JSON.stringify(mine)}\n`, { flag: 'wx', mode: 0o600 });
        return;
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
      await this.#succeed(say);
    }
  }

  /** Clears away a holder that is dead; throws when it lives. */
  async #succeed(say: (text: string) => void): Promise<void> {
    const before = readHolder(this.#holderFile);
    if (before !== undefined && isAlive(before.supervisor))
      throw new PlatformError(
        `Another platform (process ${before.supervisor.pid}) uses ${this.path}: stop it, or choose another folder with --data.`,
      );
    const left = before?.children.filter(isAlive) ?? [];
    if (left.length > 0) say(`Ending ${left.length} processes that an earlier run left behind`);
    await endProcesses(left, LEFT_OVER_GRACE_MS);
    const keeper = before?.keeper ?? null;
    if (keeper !== null)
      await waitUntil(() => (isAlive(keeper) ? Promise.reject(new Error('busy')) : Promise.resolve()), {
        timeoutMs: KEEPER_TIMEOUT_MS,
      });
    rmSync(this.#holderFile, { force: true });
  }
}

/** An ES256 private key, PEM. */
export const newTokenKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
