import { randomUUID } from 'node:crypto';
import { applicationDefault, type App, cert, type Credential, deleteApp, initializeApp } from 'firebase-admin/app';
import { getMessaging } from 'firebase-admin/messaging';
import type { Provider, SendOutcome, SendPermit } from '../notifications/provider.ts';
import { fcmMessage } from './fcm-message.ts';
import { outcomeOf } from './outcome-of.ts';
import { type ClearEndpoint, runWatched, WatchedAgent, WatchedSend } from './watched-agent.ts';

export type FcmOptions = {
  projectId: string | undefined;
  /** Path of a service account's JSON; without it the application's default credentials count. */
  credentialsFile: string | undefined;
  /** A clear-text FCM v1 endpoint for development and tests, e.g. `http://127.0.0.1:8089`. */
  endpoint: string | undefined;
  /** Milliseconds that one send may take. Default 5,000. */
  sendMs?: number;
  now(): number;
};

const defaultSendMs = 5_000;

export type FcmProvider = Provider & { close(): Promise<void> };

/**
 * FCM by the Admin SDK, unmodified. One send is one request: repeating is the caller's, who knows whether the device may
 * still be told. @throws when the credentials cannot be read.
 */
export function createFcmProvider(options: FcmOptions): FcmProvider {
  const agent = new WatchedAgent({ keepAlive: true, maxSockets: Infinity }, clearEndpoint(options.endpoint));
  const app = initializeApp(
    {
      credential: credentialOf(options),
      httpAgent: agent,
      ...(options.projectId === undefined ? {} : { projectId: options.projectId }),
    },
    `bluewave-${randomUUID()}`,
  );
  const sendMs = options.sendMs ?? defaultSendMs;
  return {
    send: (token, message, permit) =>
      permit.signal.aborted
        ? Promise.resolve({ kind: 'failed', reason: 'aborted' })
        : sendOnce({ app, now: options.now, sendMs, permit }, () => fcmMessage(token, message, options.now())),
    close: async () => {
      await deleteApp(app);
      agent.destroy();
    },
  };
}

async function sendOnce(
  how: { app: App; now: () => number; sendMs: number; permit: SendPermit },
  compose: () => ReturnType<typeof fcmMessage>,
): Promise<SendOutcome> {
  const { app, now, sendMs, permit } = how;
  const { signal } = permit;
  const send = new WatchedSend(() => permit.holds());
  let cut = (): void => undefined;
  const aborted = new Promise<SendOutcome>((resolve) => {
    cut = () => {
      send.end();
      resolve({ kind: 'failed', reason: 'no answer in time' });
    };
  });
  // A timer of its own: combined and timed signals can be collected before they fire.
  const timer = setTimeout(cut, sendMs);
  signal.addEventListener('abort', cut, { once: true });
  // What the SDK makes of an answer does not matter: it repeats some by itself, after as long as it likes.
  const answered = send.answer.then((answer) => outcomeOf(answer, now()));
  const unanswered = runWatched(send, async () => getMessaging(app).send(compose())).then(
    () => answered,
    (error: unknown) => (send.isAnswered ? answered : unsent(reasonOf(error))),
  );
  const outcome = await Promise.race([answered, unanswered, aborted]);
  clearTimeout(timer);
  signal.removeEventListener('abort', cut);
  send.end();
  return outcome;
}

/** The SDK refuses by itself what FCM would refuse; all else is trouble on the way. */
function unsent(reason: string): SendOutcome {
  return reason.startsWith('messaging/invalid-') ? { kind: 'refused', reason } : { kind: 'failed', reason };
}

/** A word for the logs; the SDK's messages may quote the request, so only its code is taken. */
function reasonOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return error instanceof Error ? error.name : 'unknown';
}

function credentialOf({ endpoint, credentialsFile }: FcmOptions): Credential {
  // A loopback endpoint asks for a token but does not look at it.
  if (endpoint) return { getAccessToken: async () => ({ access_token: 'development', expires_in: 3_600 }) };
  return credentialsFile ? cert(credentialsFile) : applicationDefault();
}

function clearEndpoint(endpoint: string | undefined): ClearEndpoint | undefined {
  if (!endpoint) return undefined;
  const { hostname, port } = new URL(endpoint);
  return { host: hostname, port: Number(port || 80) };
}
