import { env } from './env.ts';

export type InboxItem = {
  token: string;
  at: string;
  message: {
    notification: { title: string; body: string };
    data: Record<string, string>;
    android: { collapse_key: string; ttl: string; notification: { tag: string } };
    apns: { headers: Record<string, string> };
    webpush: { notification: { tag: string } };
  };
};
export type Fault = 'UNREGISTERED' | 'QUOTA_EXCEEDED' | 'INTERNAL' | 'HANG' | null;

/** The FCM stand-in that all tests share: each uses tokens of its own. */
export const fcmEndpoint = env('TEST_FCM_ENDPOINT');

/** What a phone was sent so far. */
export async function inboxOf(token: string): Promise<InboxItem[]> {
  const response = await fetch(`${fcmEndpoint}/inbox?token=${encodeURIComponent(token)}`);
  return ((await response.json()) as { items: InboxItem[] }).items;
}

/** Makes sends to one token fail so, until `null`. */
export async function setFault(token: string, error: Fault): Promise<void> {
  const response = await fetch(`${fcmEndpoint}/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, error }),
  });
  if (!response.ok) throw new Error(`the stand-in refused: ${await response.text()}`);
}
