import { randomUUID } from 'node:crypto';
import type { Platform } from '@bluewave/dev-env/platform';
import { type Account, call, createAccounts } from './accounts.ts';
import { LeanSocket } from './lean-socket.ts';
import type { Lane, LoadMeter } from './load.ts';

export type Sockets = { lanes: Lane[]; close(): void };
/** The meter of the part that runs now. */
export type CurrentMeter = { meter: LoadMeter };

const connect = (url: string, { token }: Account, current: CurrentMeter | null): Promise<LeanSocket> =>
  LeanSocket.connect({ url, auth: { token }, onEvent: (name, payload) => current?.meter.hear(name, payload) });

/** Pairs whose sender and reader are on different gateways. */
export async function connectPairs(platform: Platform, count: number, current: CurrentMeter): Promise<Sockets> {
  const [first = '', second = first] = platform.gateways;
  const accounts = await createAccounts(platform.gateways, count * 2);
  const sockets: LeanSocket[] = [];
  const lanes: Lane[] = [];
  for (let index = 0; index < count; index += 1) {
    const [sender, reader] = [accounts[index * 2] as Account, accounts[index * 2 + 1] as Account];
    const { id } = await call(first, 'POST', '/conversations', sender.token, { type: 'direct', userId: reader.userId });
    const sending = await connect(index % 2 ? first : second, sender, null);
    sockets.push(sending, await connect(index % 2 ? second : first, reader, current));
    lanes.push({ sender: sending, conversationId: id as string, readers: 1 });
  }
  return { lanes, close: () => sockets.forEach((socket) => socket.close()) };
}

/** One group; a tenth of its members send, all others read; half on each gateway. */
export async function connectGroup(platform: Platform, size: number, current: CurrentMeter): Promise<Sockets> {
  const [first = '', second = first] = platform.gateways;
  const accounts = await createAccounts(platform.gateways, size);
  const memberIds = accounts.slice(1).map(({ userId }) => userId);
  const owner = accounts[0] as Account;
  const { id } = await call(first, 'POST', '/conversations', owner.token, { type: 'group', name: 'bench', memberIds });
  const senders = size / 10;
  const sockets = await Promise.all(
    accounts.map((account, index) => connect(index % 2 ? first : second, account, index < senders ? null : current)),
  );
  const lanes = sockets
    .slice(0, senders)
    .map((sender) => ({ sender, conversationId: id as string, readers: size - senders }));
  return { lanes, close: () => sockets.forEach((socket) => socket.close()) };
}

/** The same pairs at the relay. */
export async function connectRelayPairs(url: string, count: number, current: CurrentMeter): Promise<Sockets> {
  const sockets: LeanSocket[] = [];
  const lanes: Lane[] = [];
  for (let index = 0; index < count; index += 1) {
    const conversationId = randomUUID();
    const auth = () => ({ userId: randomUUID(), rooms: [conversationId] });
    const sender = await LeanSocket.connect({ url, auth: auth(), onEvent: () => undefined });
    const onEvent = (name: string, payload: unknown) => current.meter.hear(name, payload);
    sockets.push(sender, await LeanSocket.connect({ url, auth: auth(), onEvent }));
    lanes.push({ sender, conversationId, readers: 1 });
  }
  return { lanes, close: () => sockets.forEach((socket) => socket.close()) };
}
