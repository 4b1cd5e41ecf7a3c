import { randomUUID } from 'node:crypto';
import { type Account, createAccounts, openDirect } from './accounts.ts';
import { type BenchPart, pidOf } from './bench-options.ts';
import { cpuPerMessage, cpuSeconds, type NamedProcess } from './cpu.ts';
import { inParallel, pause, rounded } from './gather.ts';
import { LeanSocket } from './lean-socket.ts';
import { residentBytes } from './memory.ts';
import { startRelay } from './relay.ts';

type Step = { sockets: number; bytes: number };

const defaultSockets = 10_000;
/** What a process needs anyway is in the first step already. */
const firstShare = 0.2;
/** Longer than a heartbeat, and time for the garbage of the handshakes to go. */
const settleMs = 20_000;
const connectingAtOnce = 50;

const socketsEach = 2;

/**
 * Memory of idle sockets on one gateway, two of each user (a phone and a laptop), each user in one conversation, against
 * a bare Socket.IO server with as many sockets that are in one room each.
 */
export const measureIdleSockets: BenchPart = async (platform, { size = defaultSockets, report }) => {
  const gateway = platform.gateways[0] ?? '';
  const people = Math.ceil(size / socketsEach / 2) * 2;
  report(`creating ${people} accounts in ${people / 2} conversations`);
  const accounts = await createAccounts(platform.gateways, people);
  const person = (index: number): Account => accounts[index] as Account;
  await inParallel(people / 2, 8, (pair) => openDirect(gateway, person(pair * 2), person(pair * 2 + 1)));
  const own = await fill(
    'gateway',
    pidOf(platform, 'gateway-1'),
    platform.processes(),
    gateway,
    size,
    report,
    (index) => ({
      token: person(Math.floor(index / socketsEach)).token,
    }),
  );
  const relay = await startRelay();
  const bare = await fill(
    'bare Socket.IO',
    relay.pid,
    [{ name: 'relay', pid: relay.pid }],
    relay.url,
    size,
    report,
    () => ({
      userId: randomUUID(),
      rooms: [randomUUID()],
    }),
  );
  await relay.close();
  const ratio = rounded(own.bytesPerSocket / bare.bytesPerSocket);
  return { sockets: size, gateway: own, bare, ratio, goals: {} };
};

async function fill(
  name: string,
  pid: number,
  processes: NamedProcess[],
  url: string,
  size: number,
  report: (line: string) => void,
  auth: (index: number) => Record<string, unknown>,
) {
  const sockets: LeanSocket[] = [];
  let closed = 0;
  const steps: Step[] = [];
  const startedAt = performance.now();
  let connectingMs = 0;
  const cpuBefore = cpuSeconds(processes);
  for (const target of [0, Math.round(size * firstShare), size]) {
    const before = sockets.length;
    const begun = performance.now();
    const added = await inParallel(target - before, connectingAtOnce, (index) =>
      LeanSocket.connect({
        url,
        auth: auth(before + index),
        onEvent: () => undefined,
        onClose: () => (closed += 1),
      }),
    );
    connectingMs += performance.now() - begun;
    sockets.push(...added);
    if (target > 0) await pause(settleMs);
    steps.push({ sockets: target, bytes: residentBytes(pid) });
    report(`${name}: ${target} sockets, ${Math.round(residentBytes(pid) / 2 ** 20)} MiB`);
  }
  const [, first, last] = steps as [Step, Step, Step];
  const cpuMicrosPerSocket = cpuPerMessage(cpuBefore, cpuSeconds(processes), size);
  for (const socket of sockets) socket.close();
  return {
    bytesPerSocket: Math.round((last.bytes - first.bytes) / (last.sockets - first.sockets)),
    steps,
    lost: closed,
    /** With the heartbeats of the time in between. */
    cpuMicrosPerSocket,
    connectsPerSecond: Math.round(size / (connectingMs / 1_000)),
    seconds: rounded((performance.now() - startedAt) / 1_000, 1),
  };
}
