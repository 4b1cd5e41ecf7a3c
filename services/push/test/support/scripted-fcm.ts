import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type ClientRequest, createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type Arrival = {
  token: string;
  /** Milliseconds since the epoch. */
  at: number;
  messageId: string;
  /** The moment when it left this process; undefined for another process' request. */
  left: number | undefined;
};

/** An FCM v1 endpoint whose every answer a test decides. It remembers all that arrived, answered or not. */
export type ScriptedFcm = {
  endpoint: string;
  arrivals: Arrival[];
  /** Later than all before it and earlier than all after it, what `left` tells included. No clock: this process' order. */
  moment(): number;
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

/** The moments when requests leave this process, by their connection and its how manieth they are. */
function watchDepartures(moment: () => number): { of(port: number, nth: number): number | undefined; close(): void } {
  const moments = new Map<number, number[]>();
  const onStart = (started: unknown): void => {
    const { socket } = (started as { request: ClientRequest }).request;
    if (!socket) throw new Error('a request started without a connection');
    const first = socket.connecting;
    const leave = (): void => {
      const port = socket.localPort ?? 0;
      moments.set(port, [...(first ? [] : (moments.get(port) ?? [])), moment()]);
    };
    // Called after the listener that writes what waited for the connection.
    if (first) socket.once('connect', leave);
    else leave();
  };
  subscribe('http.client.request.start', onStart);
  return {
    of: (port, nth) => moments.get(port)?.[nth],
    close: () => void unsubscribe('http.client.request.start', onStart),
  };
}

export async function startScriptedFcm(): Promise<ScriptedFcm> {
  const arrivals: Arrival[] = [];
  let moments = 0;
  const moment = (): number => (moments += 1);
  const departures = watchDepartures(moment);
  const requests = new WeakMap<Socket, number>();
  const fcm: ScriptedFcm = {
    endpoint: '',
    arrivals,
    moment,
    answer: (_arrival, response) => accept(response),
    close: () =>
      new Promise((resolve) => {
        departures.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const { socket } = request;
    const nth = requests.get(socket) ?? 0;
    requests.set(socket, nth + 1);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { message } = JSON.parse(Buffer.concat(chunks).toString()) as {
        message: { token: string; data: Record<string, string> };
      };
      const arrival = {
        token: message.token,
        at: Date.now(),
        messageId: message.data['messageId'] ?? '',
        left: departures.of(socket.remotePort ?? 0, nth),
      };
      arrivals.push(arrival);
      void fcm.answer(arrival, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  fcm.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fcm;
}
