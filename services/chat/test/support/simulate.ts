import { AppError } from '@bluewave/errors/app-error';
import { addMembers, removeMember } from '../../src/conversations/change-members.ts';
import { createConversation } from '../../src/conversations/create-conversation.ts';
import type { AppendRequest } from '../../src/log/append.ts';
import { derivedId, hashOf } from '../../src/log/derived-id.ts';
import { deleteMessage, editMessage, requireMessage } from '../../src/messages/change-message.ts';
import { sendMessage } from '../../src/messages/send-message.ts';
import { type Answer, faultsOf, unprojected } from './check-history.ts';
import { creation, newEntry } from './entries.ts';
import { createMemoryProjectionStore } from './memory-entry-store.ts';
import { type Fate, SimulatedProcess } from './simulated-process.ts';
import { mostLateMs, type Outage, SimulatedWorld, type Troubles } from './simulated-world.ts';
import { nth } from './nth.ts';
import { passUntil } from './virtual-time.ts';

export const actionKinds = [
  'send',
  'repeat',
  'mismatch',
  'add',
  'remove',
  'leave',
  'edit',
  'delete',
  'direct',
] as const;
export type Action = { at: number; kind: (typeof actionKinds)[number]; conversation: number; user: number };

export type Scenario = {
  seed: number;
  troubles: Troubles;
  storeOutages: Outage[];
  busOutages: Outage[];
  /** One for each process that is there from the beginning. */
  processes: Fate[];
  /** Whether those that are still alive go on at the end, or all die at once. */
  survive: boolean;
  maxKept: number;
  /** How late writes arrive that are not answered; by chance when undefined. */
  lateMs?: number;
  /** How often a caller asks; 6 times when undefined. */
  tries?: number;
  actions: Action[];
};

export type Outcome = { faults: string[]; committed: number; acknowledged: number; steps: number[] };

const users = Array.from({ length: 5 }, (_, index) => derivedId('user', index));
const conversations = Array.from({ length: 3 }, (_, index) => derivedId('conversation', index));
const immortal: Fate = { diesAtStep: Number.POSITIVE_INFINITY, skewMs: 0, leaseOutage: { from: 0, ms: 0 } };
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Plays a scenario to its end in virtual time and says what was wrong. */
export async function simulate(scenario: Scenario): Promise<Outcome> {
  const { seed, troubles, storeOutages, busOutages, maxKept, lateMs } = scenario;
  const world = new SimulatedWorld(seed, troubles, storeOutages, busOutages, lateMs);
  const requests = await begin(world);
  const start = (name: string, fate: Fate) => new SimulatedProcess(world, name, fate, maxKept);
  const processes = scenario.processes.map((fate, index) => start(`p${index}`, fate));
  const answers: Answer[] = [];
  let open = scenario.actions.length;
  for (const action of scenario.actions) {
    void act(world, processes, requests, answers, action, scenario.tries ?? 6).finally(() => (open -= 1));
  }
  const faults: string[] = [];
  if (!(await passUntil(() => open === 0, 120_000))) faults.push(`${open} callers got no answer`);
  world.calm();
  if (!scenario.survive) for (const one of processes) one.die();
  const everyone = [...processes, start('last', immortal)];
  // What was sent before may still arrive.
  await passUntil(() => false, mostLateMs);
  const settled = () =>
    world.log.committed().every((entry) => world.isDone(entry)) &&
    everyone.every(({ alive, outbox }) => !alive || outbox.size === 0) &&
    world.log.boots.size <= everyone.filter(({ alive }) => alive).length;
  if (!(await passUntil(settled, 200_000))) faults.push(`not everything was seen through: ${leftOf(world, everyone)}`);
  for (const one of everyone) one.die();
  const entries = world.log.committed();
  faults.push(...world.faults, ...faultsOf(entries, answers, requests), ...unprojected(world.log));
  const acknowledged = answers.filter(({ result }) => result).length;
  return { faults, committed: entries.length, acknowledged, steps: processes.map(({ steps }) => steps) };
}

/** Three groups, all of the users in each, owned by the first. */
async function begin(world: SimulatedWorld): Promise<AppendRequest[]> {
  const projections = createMemoryProjectionStore(world.log);
  const body = creation(...(users as [string, ...string[]]));
  const requests: AppendRequest[] = [];
  for (const conversationId of conversations) {
    const senderId = nth(users, 0);
    const clientMsgId = derivedId('creation', conversationId);
    const entry = newEntry(conversationId, 1, senderId, body, { at: Date.now() - 60_000, clientMsgId });
    world.log.apply([entry], false);
    world.log.commit();
    world.published.add(`${conversationId}:1`);
    await projections.projectMembers(conversationId);
    const { bodyHash } = entry;
    requests.push({ ...call(), conversationId, senderId, clientMsgId, bodyHash, prepare: () => body });
  }
  return requests;
}

const call = () => ({ traceId: '', deadline: Date.now() + 3_000 });

/** One caller: asks some process, and again with the same id while the answer is uncertain. */
async function act(
  world: SimulatedWorld,
  processes: SimulatedProcess[],
  requests: AppendRequest[],
  answers: Answer[],
  action: Action,
  tries: number,
): Promise<void> {
  await pause(action.at);
  const request = requestFor(world, requests, action);
  if (!request) return;
  requests.push(request);
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const alive = processes.filter((one) => one.alive);
    // Most callers find the home of the conversation, where its batches form.
    const home = world.random() < 0.7 ? action.conversation % alive.length : world.between(0, alive.length - 1);
    const chosen = alive[home];
    if (!chosen) return;
    const asked = { ...request, ...call(), bodyHash: Uint8Array.from(request.bodyHash) };
    const head = () => world.log.head(request.conversationId);
    const answer: Answer = { request: asked, askedAt: Date.now(), heads: [head(), 0] };
    try {
      const late = pause(30_000).then(() => Promise.reject(new AppError('UNAVAILABLE', 'no answer')));
      answer.result = await Promise.race([chosen.append(asked), late]);
    } catch (error) {
      answer.code = error instanceof AppError ? error.code : String(error);
    }
    answer.heads[1] = head();
    answers.push(answer);
    if (answer.code !== 'UNAVAILABLE') return;
    await pause(world.between(50, 600));
  }
}

/** The request of an action as the service would make it; undefined when it would refuse before the log is asked. */
function requestFor(world: SimulatedWorld, requests: AppendRequest[], action: Action): AppendRequest | undefined {
  const { kind, user, conversation, at } = action;
  const conversationId = nth(conversations, conversation);
  const [actorId, owner] = [nth(users, user), nth(users, 0)];
  const sends = requests.filter((one) => one.bodyHash.length === 16 && one.traceId === 'send');
  const earlier = sends[(at + user) % Math.max(sends.length, 1)];
  const sent = (of: { actorId: string; conversationId: string; clientMsgId: string }, text: string) => ({
    ...sendMessage({ ...of, kind: 'text', text, attachments: [] }, call(), Date.now),
    traceId: 'send',
  });
  try {
    switch (kind) {
      case 'send':
        return sent({ actorId, conversationId, clientMsgId: derivedId('send', at, user, requests.length) }, `m${at}`);
      case 'repeat':
        return earlier;
      case 'mismatch':
        return earlier && sent({ ...earlier, actorId: earlier.senderId }, `other ${at}`);
      case 'add':
        return addMembers({ actorId: owner, conversationId, userIds: [actorId] }, call(), limits, Date.now());
      case 'remove':
        return removeMember({ actorId: owner, conversationId, userId: actorId }, call());
      case 'leave':
        return removeMember({ actorId, conversationId, userId: actorId }, call());
      case 'edit':
      case 'delete':
        return change(world, kind, { actorId, conversationId }, at);
      case 'direct':
        return direct(actorId, nth(users, (user + 1) % users.length));
      default:
        return kind satisfies never;
    }
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

const limits = { group: 100, room: 100 };

function direct(actorId: string, otherId: string): AppendRequest {
  const input = { type: 'direct' as const, name: '', description: '', idempotencyKey: '' };
  return createConversation({ ...input, actorId, userIds: [otherId] }, call(), limits);
}

function change(
  world: SimulatedWorld,
  kind: 'edit' | 'delete',
  of: { actorId: string; conversationId: string },
  at: number,
): AppendRequest | undefined {
  const own = world.log
    .after(of.conversationId, 0, 1_000)
    .filter(({ senderId, body }) => body.type === 'message:new' && senderId === of.actorId);
  const message = own[at % Math.max(own.length, 1)];
  if (!message) return undefined;
  const target = { ...of, seq: message.seq };
  const window = { now: Date.now(), ms: 3_600_000 };
  if (kind === 'delete') return deleteMessage(target, requireMessage(message), call()) ?? undefined;
  return editMessage({ ...target, text: `edited ${hashOf(at).join('')}` }, requireMessage(message), call(), window);
}

function leftOf(world: SimulatedWorld, processes: SimulatedProcess[]): string {
  const undone = world.log.committed().filter((entry) => !world.isDone(entry));
  const held = processes.filter(({ alive }) => alive).map(({ outbox }) => outbox.size);
  return `${undone.length} entries undone, held ${held.join()}, ${world.log.boots.size} boots`;
}
