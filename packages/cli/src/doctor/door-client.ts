import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export type Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer; ms: number };
export type Ask = { headers?: Record<string, string>; body?: string | Buffer };

const askMs = 10_000;

/** Requests to the gateway and to URLs that it hands out; trusts a CA of one's own beside the usual ones. */
export class Door {
  readonly url: URL;
  readonly #http = new HttpAgent({ keepAlive: false });
  readonly #https: HttpsAgent;

  constructor({ url, ca }: { url: URL; ca: string | undefined }) {
    this.url = url;
    this.#https = new HttpsAgent({ keepAlive: false, ...(ca === undefined ? {} : { ca: readFileSync(ca) }) });
  }

  /** @param path below the URL, or a whole URL. @returns the answer, whatever its status; rejects when there is none. */
  ask(method: string, path: string, { headers = {}, body }: Ask = {}): Promise<Answer> {
    const target = new URL(path, this.url);
    const secure = target.protocol === 'https:';
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(askMs);
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = { method, headers: { ...length, ...headers }, signal };
      const request = secure
        ? httpsRequest(target, { ...options, agent: this.#https })
        : httpRequest(target, { ...options, agent: this.#http });
      request.once('error', (error) =>
        reject(signal.aborted ? new Error(`no answer within ${askMs / 1_000} s`) : error),
      );
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, body: Buffer.concat(chunks), ms: performance.now() - started });
        });
      });
      request.end(body);
    });
  }

  /** A call of the API. @returns the parsed body, `undefined` when it is no JSON */
  async call(
    method: string,
    path: string,
    token: string | undefined,
    payload?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> | undefined }> {
    const answer = await this.ask(method, `/api/v1${path}`, {
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(payload === undefined ? {} : { body: JSON.stringify(payload) }),
    });
    return { status: answer.status, body: jsonOf(answer.body) };
  }

  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

function jsonOf(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The code of a problem, or the status where there is none: what an operator searches the logs for. */
export const problemOf = ({ status, body }: { status: number; body: Record<string, unknown> | undefined }): string =>
  `${status}${typeof body?.['code'] === 'string' ? ` ${body['code']}` : ''}`;
