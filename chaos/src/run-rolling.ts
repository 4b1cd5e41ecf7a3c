import { randomUUID } from 'node:crypto';
import type { Platform } from '@bluewave/dev-env/platform';
import { ChaosClient } from './chaos-client.ts';
import { checkLedger, isClean, type Verdict } from './check-ledger.ts';
import { pick, seededRandom } from './random.ts';
import { callAround, type RestFigures } from './rest-load.ts';
import { type Scene, setScene } from './scene.ts';
import { ledgerOf, readLogs, settleClients } from './settle.ts';

export type RollingOptions = { seed: number; report(line: string): void };

export type Restart = {
  name: string;
  /** From SIGTERM to the end of the process. */
  stoppedMs: number;
  exitCode: number | null;
  /** From its end to serving again. */
  backMs: number;
};

export type RollingResult = Verdict & {
  seed: number;
  restarts: Restart[];
  acked: number;
  /** Sends that were refused for good. */
  refused: number;
  /** Sends that had to be repeated, by why: only a socket that was closed under them is a reason. */
  retried: Record<string, number>;
  /** How sockets ended, by close code. */
  closes: Record<string, number>;
  rest: RestFigures;
  passed: boolean;
};

/** Every replica of every service, those that are asked before those that ask. */
const services = ['auth', 'chat', 'media', 'push', 'gateway'] as const;
const stopLimitMs = 30_000;
const restartLimitMs = 60_000;
const firstMs = 5_000;
const calmMs = 3_000;
const settleMs = 60_000;
const sendEveryMs = 100;
const sendShare = 0.1;
const drainingCode = '1012';
/** The one reason to repeat a send: its socket was sent elsewhere. */
const offline = ['not connected'];

/**
 * A new version is rolled out: every process of every service gets SIGTERM, one after the other, while people talk over
 * sockets and REST. Nobody may notice. The platform needs two of each service.
 */
export async function runRolling(platform: Platform, { seed, report }: RollingOptions): Promise<RollingResult> {
  const random = seededRandom(seed);
  const scene = await setScene(platform.gateways, 20);
  const retried: Record<string, number> = {};
  const closes: Record<string, number> = {};
  const clients = scene.people.map(
    (account) =>
      new ChaosClient(account, platform.gateways, seededRandom(random() * 2 ** 32), {
        onRetry: (_, why) => count(retried, why),
        onSocketEnd: ({ reason, code }) => count(closes, String(code ?? reason)),
      }),
  );
  let over = false;
  const isOver = (): boolean => over;
  const talking = talk(clients, scene, random, isOver);
  const calling = callAround(platform.gateways, scene, random, isOver);
  await pause(firstMs);
  const busy = Object.keys(retried).some((why) => !offline.includes(why));
  if (busy) report('sends fail before anything is restarted: this machine is too busy to tell what a restart does');
  const restarts: Restart[] = [];
  for (const name of namesOf(platform)) restarts.push(await restart(platform, name, report));
  over = true;
  const [rest] = await Promise.all([calling, talking]);
  await settleClients(clients, settleMs);
  const ledger = ledgerOf(clients, scene, []);
  const verdict = checkLedger(ledger, await readLogs(platform.gateways, scene));
  for (const client of clients) client.close();
  const refused = clients.reduce((sum, client) => sum + client.refused.size, 0);
  const went = restarts.every(({ exitCode, stoppedMs }) => exitCode === 0 && stoppedMs <= stopLimitMs);
  const unnoticed =
    rest.failures.length + rest.broken.length + refused === 0 &&
    Object.keys(retried).every((why) => offline.includes(why));
  const told = Object.keys(closes).every((code) => code === drainingCode);
  const passed = isClean(verdict) && went && unnoticed && told && ledger.acked.length > 0 && restarts.length > 0;
  return { seed, restarts, acked: ledger.acked.length, refused, retried, closes, rest, ...verdict, passed };
}

/** Everybody sends now and then, each to a conversation of theirs. */
async function talk(clients: ChaosClient[], scene: Scene, random: () => number, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    for (const client of clients) {
      if (random() > sendShare) continue;
      const own = scene.conversations.filter(({ memberIds }) => memberIds.includes(client.account.userId));
      client.send(pick(random, own).id, randomUUID(), `message ${random()}`);
    }
    await pause(sendEveryMs);
  }
}

function namesOf(platform: Platform): string[] {
  const running = platform.processes().map(({ name }) => name);
  return services.flatMap((service) => running.filter((name) => name === service || name.startsWith(`${service}-`)));
}

async function restart(platform: Platform, name: string, report: (line: string) => void): Promise<Restart> {
  const startedAt = Date.now();
  const end = await platform.kill(name, 'SIGTERM');
  const endedAt = Date.now();
  await platform.waitRestarted(name, restartLimitMs);
  const result = { name, stoppedMs: endedAt - startedAt, exitCode: end?.code ?? null, backMs: Date.now() - endedAt };
  report(`${name}: ended with ${result.exitCode} after ${result.stoppedMs} ms, back after ${result.backMs} ms`);
  await pause(calmMs);
  return result;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
