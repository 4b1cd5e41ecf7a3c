import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Arrival = { token: string; at: number; messageId: string };

/** An FCM v1 endpoint whose every answer a test decides. It remembers all that arrived, answered or not. */
export type ScriptedFcm = {
  endpoint: string;
  arrivals: Arrival[];
  /** Answers one request; by default it accepts. */
  answer(arrival: Arrival, response: ServerResponse): void | Promise<void>;
  close(): Promise<void>;
};

export function accept(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"name":"projects/test/messages/1"}');
}

/** An error as FCM v1 words it; without `errorCode` as the API in front of it does. */
export function refuse(
  response: ServerResponse,
  status: number,
  errorCode: string | undefined,
  headers: Record<string, string> = {},
): void {
  const type = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
  const details = errorCode === undefined ? [] : [{ '@type': type, errorCode }];
  const error = { code: status, message: 'no', status: status === 404 ? 'NOT_FOUND' : 'FAILED', details };
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ error }));
}

export async function startScriptedFcm(): Promise<ScriptedFcm> {
  const arrivals: Arrival[] = [];
  const fcm: ScriptedFcm = {
    endpoint: '',
    arrivals,
    answer: (_arrival, response) => accept(response),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { message } = JSON.parse(Buffer.concat(chunks).toString()) as {
        message: { token: string; data: Record<string, string> };
      };
      const arrival = { token: message.token, at: Date.now(), messageId: message.data['messageId'] ?? '' };
      arrivals.push(arrival);
      void fcm.answer(arrival, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  fcm.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fcm;
}
