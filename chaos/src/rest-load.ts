import { randomUUID } from 'node:crypto';
import type { Account } from './chaos-client.ts';
import { pick } from './random.ts';
import { rest, type RestAnswer } from './rest.ts';
import type { Scene } from './scene.ts';

export type RestFigures = {
  calls: number;
  byStatus: Record<string, number>;
  /** Calls that were answered with 5xx. */
  failures: string[];
  /** Calls that broke after they were sent. */
  broken: string[];
};

type Call = { method: string; path: string; body?: object };

const lookEveryMs = 100;
const callEveryMs = 100;
const patienceMs = 15_000;

/**
 * REST calls that need every service, spread over the gateways that say they are ready, as a load balancer does: a
 * connection that is refused, and so never carried a request, is tried elsewhere.
 */
export async function callAround(
  gateways: readonly string[],
  scene: Scene,
  random: () => number,
  isOver: () => boolean,
): Promise<RestFigures> {
  const figures: RestFigures = { calls: 0, byStatus: {}, failures: [], broken: [] };
  const ready = new Set(gateways);
  const looking = watch(gateways, ready, isOver);
  const open = new Set<Promise<void>>();
  while (!isOver()) {
    const account = pick(random, scene.people);
    const call = pick(random, callsOf(account, scene));
    const done = carryOut(gateways, ready, account, call, random, figures).finally(() => open.delete(done));
    open.add(done);
    await pause(callEveryMs);
  }
  await Promise.all([looking, ...open]);
  return figures;
}

/** One of each kind: accounts, conversations, sync, messages, uploads, push tokens. */
function callsOf(account: Account, scene: Scene): Call[] {
  const own = scene.conversations.find(({ memberIds }) => memberIds.includes(account.userId));
  const push = { provider: 'fcm', token: `phone-${account.deviceId}` };
  const upload = { fileName: 'note.txt', contentType: 'text/plain', size: 12, purpose: 'message' };
  return [
    { method: 'GET', path: '/users/me' },
    { method: 'GET', path: '/auth/sessions' },
    { method: 'GET', path: '/conversations' },
    { method: 'POST', path: '/sync', body: { cursors: {} } },
    { method: 'POST', path: '/media/upload-url', body: { ...upload, conversationId: own?.id } },
    { method: 'PUT', path: `/devices/${account.deviceId}/push-token`, body: push },
    {
      method: 'POST',
      path: `/conversations/${own?.id}/messages`,
      body: { clientMsgId: randomUUID(), text: 'by REST' },
    },
  ];
}

async function carryOut(
  gateways: readonly string[],
  ready: ReadonlySet<string>,
  account: Account,
  { method, path, body }: Call,
  random: () => number,
  figures: RestFigures,
): Promise<void> {
  figures.calls += 1;
  const until = Date.now() + patienceMs;
  for (;;) {
    const gateway = pick(random, ready.size > 0 ? [...ready] : gateways);
    try {
      return note(figures, `${method} ${path}`, await rest(gateway, method, path, account.token, body));
    } catch (error) {
      if (wasRefused(error) && Date.now() < until) await pause(lookEveryMs);
      else return void figures.broken.push(`${method} ${path}: ${causeOf(error)}`);
    }
  }
}

function note(figures: RestFigures, call: string, { status, body }: RestAnswer): void {
  figures.byStatus[status] = (figures.byStatus[status] ?? 0) + 1;
  if (status >= 500) figures.failures.push(`${call}: ${status} ${JSON.stringify(body?.['code'])}`);
}

/** Keeps `ready` true, ten times a second. */
async function watch(gateways: readonly string[], ready: Set<string>, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await Promise.all(
      gateways.map(async (gateway) => {
        const answer = await fetch(`${gateway}/readyz`, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
        if (answer?.ok) ready.add(gateway);
        else ready.delete(gateway);
      }),
    );
    await pause(lookEveryMs);
  }
}

function wasRefused(error: unknown): boolean {
  return causeOf(error).includes('ECONNREFUSED');
}

function causeOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return `${String(error)} ${cause?.code ?? ''} ${cause?.message ?? ''}`.trim();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
