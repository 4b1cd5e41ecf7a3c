import { randomBytes, randomUUID } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import { readFileSync } from 'node:fs';
import { type Door, problemOf } from '../door-client.ts';
import { failed, type Finding, ok, reasonOf, unchecked, warning } from '../finding.ts';
import type { DoctorOptions } from '../options.ts';

export type Person = { id: string; token: string };
export type Pair = { sender: Person; receiver: Person };

const check = 'message';
const patienceMs = 10_000;
const slowMs = 1_000;

/** Two people to talk: the given accounts, else two that are made. */
export async function signIn(door: Door, accounts: DoctorOptions['accounts']): Promise<Pair | { finding: Finding }> {
  const people: Person[] = [];
  for (const index of [0, 1]) {
    const account = accounts?.[index];
    const answer = await enter(door, account).catch((error: unknown) => reasonOf(error));
    if (typeof answer === 'string') {
      const who = account ? `${account.identifier} cannot log in` : 'nobody can be registered';
      return { finding: failed(check, `${who}: ${answer}`, fixFor(answer)) };
    }
    people.push(answer);
  }
  const [sender, receiver] = people as [Person, Person];
  return { sender, receiver };
}

async function enter(
  door: Door,
  account: { identifier: string; password: string } | undefined,
): Promise<Person | string> {
  const device = { name: 'bluewave doctor', platform: 'other' };
  const name = `doctor_${randomBytes(6).toString('hex')}`;
  const made = { email: `${name}@example.invalid`, username: name, password: randomBytes(18).toString('base64url') };
  const answer = account
    ? await door.call('POST', '/auth/login', undefined, { ...account, device })
    : await door.call('POST', '/auth/register', undefined, { ...made, device });
  const { user, accessToken } = (answer.body ?? {}) as { user?: { id: string }; accessToken?: string };
  if (answer.status >= 300 || !user || !accessToken) return problemOf(answer);
  return { id: user.id, token: accessToken };
}

function fixFor(why: string): string {
  if (/429/.test(why)) return 'Wait a minute: this address tried too often. Or give --accounts.';
  if (/401/.test(why)) return 'Correct --accounts.';
  if (/503|504/.test(why)) return 'Redis or MongoDB cannot be reached by auth: its log says which.';
  return 'See the log of auth at this time.';
}

/** A message from one to the other: acknowledged, heard on the socket, sent again without a second one, in the log. */
export async function checkMessage(door: Door, { sender, receiver }: Pair, options: DoctorOptions): Promise<Finding[]> {
  const opened = await door.call('POST', '/conversations', sender.token, { type: 'direct', userId: receiver.id });
  const { id } = (opened.body ?? {}) as { id?: string };
  if (!id) {
    return [
      failed(check, `no conversation: ${problemOf(opened)}`, 'See the log of chat: MongoDB may have no primary.'),
    ];
  }
  const socket = connectSocket(options, receiver);
  try {
    await once(socket, 'connect');
    return [await exchange(door, id, sender, socket), await holdIdle(socket, options.idleSeconds)];
  } catch (error) {
    const fix = 'The upgrade works and the session does not: see the log of the gateway.';
    return [failed(check, `the socket of the receiver: ${reasonOf(error)}`, fix)];
  } finally {
    socket.disconnect();
  }
}

async function exchange(door: Door, id: string, sender: Person, socket: Socket): Promise<Finding> {
  const body = { clientMsgId: randomUUID(), text: 'bluewave doctor was here' };
  const path = `/conversations/${id}/messages`;
  const heard = once(socket, 'message:new', patienceMs).then(
    () => performance.now(),
    () => undefined,
  );
  const began = performance.now();
  const sent = await door.call('POST', path, sender.token, body);
  if (sent.status !== 201) {
    const fix = 'See the log of chat: MongoDB has no primary, or no majority that writes.';
    return failed(check, `was not acknowledged: ${problemOf(sent)}`, fix);
  }
  const acked = performance.now() - began;
  const at = await heard;
  const again = await door.call('POST', path, sender.token, body);
  if (again.status !== 200 || again.body?.['duplicate'] !== true) {
    const fix = 'Look at the indexes of entries in the database of chat: client_id must be unique.';
    return failed(check, `sent twice it is there twice: ${problemOf(again)}`, fix);
  }
  if (at === undefined) {
    const fix = 'Chat or gateway is not connected to NATS: see their logs, NATS_URL and the network policies.';
    return failed(check, `acknowledged, and not delivered within ${patienceMs / 1_000} s`, fix);
  }
  const says = `acknowledged after ${Math.round(acked)} ms, heard after ${Math.round(at - began)} ms, once`;
  if (at - began > slowMs) return warning(check, says, 'See "BluewaveSendsSlow" in docs/operations.md.');
  return ok(check, says);
}

function connectSocket({ url, ca }: DoctorOptions, { token }: Person): Socket {
  return io(url.origin, {
    auth: { token },
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    ...(ca === undefined ? {} : { ca: readFileSync(ca, 'utf8') }),
  });
}

/** The first event of a name. @throws when there is none in time, or the connection is refused or ends */
function once(socket: Socket, name: string, ms = patienceMs): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const done = (work: () => void): void => {
      clearTimeout(timer);
      socket.off('connect_error', refuse).off('disconnect', end).off(name, take);
      work();
    };
    const take = (value: unknown): void => done(() => resolve(value));
    const refuse = (error: Error): void => done(() => reject(error));
    const end = (reason: string): void => done(() => reject(new Error(reason)));
    const timer = setTimeout(() => end(`no ${name} within ${ms / 1_000} s`), ms);
    socket.once(name, take);
    socket.once('connect_error', refuse);
    socket.once('disconnect', end);
  });
}

/** Says nothing for a while, as a phone in a pocket does: a proxy with a short time-out shows itself. */
async function holdIdle(socket: Socket, seconds: number): Promise<Finding> {
  const name = 'idle WebSocket';
  if (seconds === 0) return unchecked(name, 'not held', '--idle-seconds 60 shows whether a proxy cuts it.');
  const began = performance.now();
  const cut = await new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), seconds * 1_000);
    socket.once('disconnect', (reason) => {
      clearTimeout(timer);
      resolve(reason);
    });
  });
  if (cut === undefined) return ok(name, `still open after ${seconds} s`);
  const after = ((performance.now() - began) / 1_000).toFixed(1);
  const fix = 'Raise the idle or read time-out of the proxy well above the heartbeat of 15 s (an hour is usual).';
  return failed(name, `cut after ${after} s: ${cut}`, fix);
}
