import { aborted, offline, timedOut } from '../bluewave-error.ts';
import type { Environment } from '../environment.ts';

export type PutRequest = {
  url: string;
  headers: Record<string, string>;
  body: Blob | Uint8Array<ArrayBuffer>;
  size: number;
  /** Told the bytes that have left so far. */
  onSent(bytes: number): void;
  signal: AbortSignal | undefined;
};

/** Puts bytes where a presigned URL says. @returns the HTTP status. @throws ABORTED, OFFLINE, TIMEOUT. */
export type PutBytes = (request: PutRequest) => Promise<number>;

/** Nothing moved for this long: the link is dead. */
const stallMs = 30_000;
const pieceBytes = 64 * 1024;

/** What is used of an XMLHttpRequest. */
type Xhr = {
  readonly status: number;
  readonly upload: { addEventListener(event: 'progress', listener: (progress: { loaded: number }) => void): void };
  addEventListener(event: 'load' | 'error' | 'abort', listener: () => void): void;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  send(body: Blob | Uint8Array): void;
  abort(): void;
};

/** As the runtime can: only XMLHttpRequest tells browsers and React Native about progress, only streams tell Node. */
export function createPutBytes(environment: Environment): PutBytes {
  const { XMLHttpRequest } = globalThis as { XMLHttpRequest?: new () => Xhr };
  if (XMLHttpRequest) return (request) => putByXhr(environment, new XMLHttpRequest(), request);
  return (request) => putByFetch(environment, request);
}

/** Calls `abort` when `alive` was not called for too long. */
function watchStall({ clock }: Environment, abort: () => void): { alive(): void; end(): void } {
  let stop = clock.after(stallMs, abort);
  return {
    alive() {
      stop();
      stop = clock.after(stallMs, abort);
    },
    end: () => stop(),
  };
}

function putByXhr(environment: Environment, xhr: Xhr, request: PutRequest): Promise<number> {
  const { url, headers, body, onSent, signal } = request;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted());
    let late = false;
    const abort = (): void => xhr.abort();
    const stall = watchStall(environment, () => {
      late = true;
      abort();
    });
    const end = (settle: () => void): void => {
      stall.end();
      signal?.removeEventListener('abort', abort);
      settle();
    };
    xhr.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.addEventListener('progress', ({ loaded }) => {
      stall.alive();
      onSent(loaded);
    });
    xhr.addEventListener('load', () => end(() => resolve(xhr.status)));
    xhr.addEventListener('error', () => end(() => reject(offline())));
    xhr.addEventListener('abort', () => end(() => reject(late ? timedOut() : aborted())));
    signal?.addEventListener('abort', abort);
    xhr.send(body);
  });
}

async function putByFetch(environment: Environment, request: PutRequest): Promise<number> {
  const { url, headers, size, signal } = request;
  if (signal?.aborted) throw aborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  let late = false;
  const stall = watchStall(environment, () => {
    late = true;
    abort();
  });
  signal?.addEventListener('abort', abort);
  const init = isNode()
    ? { body: stream(request, stall.alive), duplex: 'half', headers: { ...headers, 'content-length': String(size) } }
    : { body: request.body, headers };
  try {
    const answer = await environment.fetch(url, { method: 'PUT', signal: controller.signal, ...init } as RequestInit);
    await answer.arrayBuffer();
    return answer.status;
  } catch (error) {
    if (signal?.aborted) throw aborted();
    throw late ? timedOut() : offline(error);
  } finally {
    stall.end();
    signal?.removeEventListener('abort', abort);
  }
}

/** Only there does a request whose body is a stream keep the length that it declares, which storage insists on. */
function isNode(): boolean {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return process?.versions?.node !== undefined;
}

function stream({ body, size, onSent }: PutRequest, alive: () => void): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (at > 0) onSent(at);
        alive();
        if (at >= size) return controller.close();
        const piece = await readBytes(body, at, Math.min(size, at + pieceBytes));
        at += piece.length;
        controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Some bytes of a file. */
export async function readBytes(body: Blob | Uint8Array, from: number, to: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body.subarray(from, to);
  return new Uint8Array(await body.slice(from, to).arrayBuffer());
}
