import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ChecksumAlgorithm } from './checksums.ts';
import { noSuchBucket, preconditionFailed, S3Error } from './s3-error.ts';

/** An object. `etag` is without quotes, `modifiedAt` ISO 8601, `file` the path of its bytes. */
export type StoredObject = {
  key: string;
  size: number;
  etag: string;
  modifiedAt: string;
  contentType: string;
  /** Other headers that were stored and are sent back, such as `cache-control` and `x-amz-meta-*`. */
  headers: Record<string, string>;
  checksums: Partial<Record<ChecksumAlgorithm, string>>;
  checksumType: 'FULL_OBJECT' | 'COMPOSITE';
  file: string;
};

/** When a write may take place: `If-None-Match: *` or `If-Match: <etag>`. */
export type WriteCondition = { ifNoneMatch?: string | undefined; ifMatch?: string | undefined };

type Bucket = { createdAt: string; cors?: string; objects: Map<string, { object: StoredObject; metaFile: string }> };

const BUCKET_FILE = 'bucket.json';

const writeWhole = (file: string, text: string): void => {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
};

/**
 * Buckets and objects in a folder: the bytes of an object in a file of its own, all else in a small JSON file whose
 * renaming is the commit point. What is known about objects is also held in memory; this process is the only writer.
 */
export class ObjectStore {
  readonly #folder: string;
  readonly #buckets = new Map<string, Bucket>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(path.join(folder, 'incoming'), { recursive: true });
    mkdirSync(path.join(folder, 'buckets'), { recursive: true });
    for (const name of readdirSync(path.join(folder, 'incoming')))
      rmSync(path.join(folder, 'incoming', name), { recursive: true, force: true });
    for (const name of readdirSync(path.join(folder, 'buckets'))) this.#load(name);
  }

  /** A file to receive bytes into; removed at the next start when nothing came of it. */
  incomingFile(): string {
    return path.join(this.#folder, 'incoming', randomUUID());
  }

  buckets(): { name: string; createdAt: string }[] {
    return [...this.#buckets].map(([name, { createdAt }]) => ({ name, createdAt }));
  }

  createBucket(name: string, now: Date): void {
    if (this.#buckets.has(name))
      throw new S3Error(409, 'BucketAlreadyOwnedByYou', 'You already own the bucket you tried to create.');
    mkdirSync(path.join(this.#bucketFolder(name), 'objects'), { recursive: true });
    const bucket: Bucket = { createdAt: now.toISOString(), objects: new Map() };
    this.#buckets.set(name, bucket);
    this.#saveBucket(name, bucket);
  }

  deleteBucket(name: string): void {
    if (this.#bucket(name).objects.size > 0)
      throw new S3Error(409, 'BucketNotEmpty', 'The bucket you tried to delete is not empty.');
    rmSync(this.#bucketFolder(name), { recursive: true, force: true });
    this.#buckets.delete(name);
  }

  /** @throws S3Error NoSuchBucket */
  requireBucket(name: string): void {
    this.#bucket(name);
  }

  /** The CORS document of a bucket, as it was put. */
  cors(name: string): string | undefined {
    return this.#buckets.get(name)?.cors;
  }

  setCors(name: string, document: string | undefined): void {
    const bucket = this.#bucket(name);
    if (document === undefined) delete bucket.cors;
    else bucket.cors = document;
    this.#saveBucket(name, bucket);
  }

  get(bucket: string, key: string): StoredObject | undefined {
    return this.#bucket(bucket).objects.get(key)?.object;
  }

  /** All keys in the order S3 lists them: by their UTF-8 bytes. */
  keys(bucket: string): string[] {
    return [...this.#bucket(bucket).objects.keys()]
      .map((key) => ({ key, bytes: Buffer.from(key) }))
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
      .map(({ key }) => key);
  }

  /** @throws S3Error when the condition does not hold; of two writers with `If-None-Match: *` one always fails */
  checkCondition(bucket: string, key: string, condition: WriteCondition): void {
    const current = this.get(bucket, key);
    if (condition.ifNoneMatch !== undefined) {
      if (condition.ifNoneMatch !== '*') throw new S3Error(501, 'NotImplemented', 'If-None-Match takes only "*".');
      if (current !== undefined) throw preconditionFailed();
    }
    if (condition.ifMatch !== undefined && condition.ifMatch.replaceAll('"', '') !== current?.etag)
      throw preconditionFailed();
  }

  /** Makes received bytes the object of a key, if the condition holds. Takes the file over, also when it does not. */
  commit(
    bucket: string,
    object: Omit<StoredObject, 'file'>,
    received: string,
    condition: WriteCondition,
  ): StoredObject {
    const { objects } = this.#bucket(bucket);
    // From here to the end nothing is awaited, so no other request comes in between.
    try {
      this.checkCondition(bucket, object.key, condition);
    } catch (error) {
      rmSync(received, { force: true });
      throw error;
    }
    const id = randomUUID();
    const file = path.join(this.#bucketFolder(bucket), 'objects', `${id}.data`);
    const metaFile = path.join(this.#bucketFolder(bucket), 'objects', `${id}.json`);
    const stored: StoredObject = { ...object, file };
    renameSync(received, file);
    writeWhole(metaFile, JSON.stringify(stored));
    const before = objects.get(object.key);
    objects.set(object.key, { object: stored, metaFile });
    if (before !== undefined) this.#remove(before);
    return stored;
  }

  delete(bucket: string, key: string): void {
    const { objects } = this.#bucket(bucket);
    const before = objects.get(key);
    if (before === undefined) return;
    objects.delete(key);
    this.#remove(before);
  }

  #remove({ object, metaFile }: { object: StoredObject; metaFile: string }): void {
    rmSync(metaFile, { force: true });
    rmSync(object.file, { force: true });
  }

  #bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw noSuchBucket();
    return bucket;
  }

  #bucketFolder(name: string): string {
    return path.join(this.#folder, 'buckets', name);
  }

  #saveBucket(name: string, { createdAt, cors }: Bucket): void {
    writeWhole(path.join(this.#bucketFolder(name), BUCKET_FILE), JSON.stringify({ createdAt, cors }));
  }

  #load(name: string): void {
    const folder = this.#bucketFolder(name);
    if (!existsSync(path.join(folder, BUCKET_FILE))) return;
    const facts = JSON.parse(readFileSync(path.join(folder, BUCKET_FILE), 'utf8')) as Omit<Bucket, 'objects'>;
    const bucket: Bucket = { ...facts, objects: new Map() };
    this.#buckets.set(name, bucket);
    for (const entry of readdirSync(path.join(folder, 'objects')).filter((one) => one.endsWith('.json'))) {
      const metaFile = path.join(folder, 'objects', entry);
      const saved = JSON.parse(readFileSync(metaFile, 'utf8')) as StoredObject;
      // The folder may have been moved since.
      const object = { ...saved, file: metaFile.replace(/json$/, 'data') };
      const before = bucket.objects.get(object.key);
      // Two for one key: the process died between committing the new one and removing the old one.
      const [keep, drop] =
        before !== undefined && before.object.modifiedAt > object.modifiedAt
          ? [before, { object, metaFile }]
          : [{ object, metaFile }, before];
      bucket.objects.set(object.key, keep);
      if (drop !== undefined) this.#remove(drop);
    }
  }
}
