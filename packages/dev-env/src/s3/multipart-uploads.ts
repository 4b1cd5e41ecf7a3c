import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ChecksumAlgorithm } from './checksums.ts';
import type { StoredObject } from './object-store.ts';
import { noSuchUpload } from './s3-error.ts';

/** A part that was received. `md5` is hex; `file` holds its bytes. */
export type Part = {
  number: number;
  size: number;
  md5: string;
  checksums: Partial<Record<ChecksumAlgorithm, string>>;
  modifiedAt: string;
  file: string;
};

/** An upload in parts that is neither completed nor aborted. */
export type MultipartUpload = {
  id: string;
  bucket: string;
  key: string;
  startedAt: string;
  algorithm?: ChecksumAlgorithm;
  described: Pick<StoredObject, 'contentType' | 'headers'>;
  parts: Map<number, Part>;
};

const UPLOAD_FILE = 'upload.json';

/** The uploads in parts, each in a folder of its own. They stay until they are completed or aborted. */
export class MultipartUploads {
  readonly #folder: string;
  readonly #uploads = new Map<string, MultipartUpload>();

  constructor(folder: string) {
    this.#folder = path.join(folder, 'uploads');
    mkdirSync(this.#folder, { recursive: true });
    for (const id of readdirSync(this.#folder)) this.#load(id);
  }

  start(upload: Omit<MultipartUpload, 'id' | 'parts'>): MultipartUpload {
    const id = randomBytes(24).toString('base64url');
    mkdirSync(path.join(this.#folder, id));
    writeFileSync(path.join(this.#folder, id, UPLOAD_FILE), JSON.stringify(upload), { mode: 0o600 });
    const started: MultipartUpload = { ...upload, id, parts: new Map() };
    this.#uploads.set(id, started);
    return started;
  }

  /** @throws S3Error NoSuchUpload, also for an upload of another bucket or key */
  get(bucket: string, key: string, id: string | null): MultipartUpload {
    const upload = this.#uploads.get(id ?? '');
    if (upload === undefined || upload.bucket !== bucket || upload.key !== key) throw noSuchUpload();
    return upload;
  }

  list(bucket: string): MultipartUpload[] {
    return [...this.#uploads.values()].filter((one) => one.bucket === bucket);
  }

  /** Takes a received file as a part; a later part of the same number replaces an earlier one. */
  addPart(upload: MultipartUpload, part: Omit<Part, 'file'>, received: string): void {
    // The upload may have been completed or aborted while the bytes came in.
    if (!this.#uploads.has(upload.id)) throw noSuchUpload();
    const file = path.join(this.#folder, upload.id, `${part.number}.data`);
    renameSync(received, file);
    writeFileSync(path.join(this.#folder, upload.id, `${part.number}.json`), JSON.stringify(part), { mode: 0o600 });
    upload.parts.set(part.number, { ...part, file });
  }

  end(upload: MultipartUpload): void {
    this.#uploads.delete(upload.id);
    rmSync(path.join(this.#folder, upload.id), { recursive: true, force: true });
  }

  #load(id: string): void {
    const folder = path.join(this.#folder, id);
    const file = path.join(folder, UPLOAD_FILE);
    if (!existsSync(file)) return;
    const saved = JSON.parse(readFileSync(file, 'utf8')) as Omit<MultipartUpload, 'id' | 'parts'>;
    const upload: MultipartUpload = { ...saved, id, parts: new Map() };
    for (const name of readdirSync(folder)) {
      const number = /^(\d+)\.json$/.exec(name)?.[1];
      if (number === undefined) continue;
      const part = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Omit<Part, 'file'>;
      upload.parts.set(part.number, { ...part, file: path.join(folder, `${number}.data`) });
    }
    this.#uploads.set(id, upload);
  }
}
