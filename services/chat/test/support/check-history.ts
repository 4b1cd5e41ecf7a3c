import { isDeepStrictEqual } from 'node:util';
import type { AppendRequest, AppendResult } from '../../src/log/append.ts';
import { applyEntry, type ConversationState, emptyState } from '../../src/log/conversation-state.ts';
import type { LogEntry } from '../../src/log/entry.ts';
import type { MemoryLog } from './memory-log.ts';

/** What a caller was told, and when it had asked. Each call has a hash object of its own. */
export type Answer = {
  request: AppendRequest;
  askedAt: number;
  /** Committed heads of the conversation when it was asked and when it was answered. */
  heads: [number, number];
  result?: AppendResult;
  code?: string;
};

const sameBytes = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
const idOf = (of: { conversationId: string; senderId: string; clientMsgId: string }) =>
  `${of.conversationId}/${of.senderId}/${of.clientMsgId}`;

function byConversation(entries: readonly LogEntry[]): Map<string, LogEntry[]> {
  const logs = new Map<string, LogEntry[]>();
  for (const entry of [...entries].sort((a, b) => a.seq - b.seq)) {
    const log = logs.get(entry.conversationId);
    if (log) log.push(entry);
    else logs.set(entry.conversationId, [entry]);
  }
  return logs;
}

/** Everything in which a log and what was told of it break the guarantees; nothing when they hold. */
export function faultsOf(entries: readonly LogEntry[], answers: Answer[], requests: AppendRequest[]): string[] {
  const ids = new Map<string, LogEntry>();
  const faults: string[] = [];
  for (const entry of entries) {
    if (ids.has(idOf(entry))) faults.push(`two entries under one clientMsgId: ${idOf(entry)}`);
    ids.set(idOf(entry), entry);
  }
  const logs = byConversation(entries);
  for (const [id, log] of logs) faults.push(...faultsOfLog(id, log, requests));
  for (const answer of answers) {
    faults.push(
      ...faultsOfAnswer(answer, ids),
      ...faultsOfRefusal(answer, logs.get(answer.request.conversationId) ?? []),
    );
  }
  return faults;
}

/** What was refused was not permitted, and what was not needed was not, as of some moment of the call. */
function faultsOfRefusal({ request, heads: [from, to], result, code }: Answer, log: LogEntry[]): string[] {
  if (result?.entry || code === 'UNAVAILABLE' || code === 'IDEMPOTENCY_MISMATCH') return [];
  const state = emptyState(request.conversationId);
  for (const entry of log.slice(0, from)) applyEntry(state, entry);
  let refused = !isPermitted(request, state);
  for (const entry of log.slice(from, to)) {
    applyEntry(state, entry);
    refused ||= !isPermitted(request, state);
  }
  return refused ? [] : [`${idOf(request)} was answered ${code ?? 'nothing'}, but was permitted from ${from} to ${to}`];
}

/** Seqs without holes, and each entry permitted by the state that it follows. */
function faultsOfLog(id: string, log: LogEntry[], requests: AppendRequest[]): string[] {
  const faults: string[] = [];
  const state = emptyState(id);
  for (const [index, entry] of log.entries()) {
    if (entry.seq !== index + 1) return [...faults, `seq ${entry.seq} follows ${index} in ${id}`];
    const request = requests.find((one) => idOf(one) === idOf(entry) && sameBytes(one.bodyHash, entry.bodyHash));
    if (!request) faults.push(`nobody asked for seq ${entry.seq}`);
    else if (!isPermitted(request, state)) faults.push(`seq ${entry.seq} was not permitted after ${state.head}`);
    applyEntry(state, entry);
  }
  return faults;
}

function isPermitted(request: AppendRequest, state: ConversationState): boolean {
  try {
    return request.prepare(state) !== null;
  } catch {
    return false;
  }
}

function faultsOfAnswer({ request, askedAt, result, code }: Answer, ids: Map<string, LogEntry>): string[] {
  const entry = ids.get(idOf(request));
  if (result?.entry) {
    if (!entry) return [`${idOf(request)} was acknowledged and is not there`];
    const isSame = entry.seq === result.entry.seq && sameBytes(entry.bodyHash, request.bodyHash);
    return isSame ? [] : [`${idOf(request)} was acknowledged as seq ${result.entry.seq} and is ${entry.seq}`];
  }
  if (code === 'UNAVAILABLE' || !entry) return [];
  if (code === 'IDEMPOTENCY_MISMATCH') {
    return sameBytes(entry.bodyHash, request.bodyHash) ? [`${idOf(request)} was called a mismatch and is none`] : [];
  }
  // The stored hash is the very object of the call that wrote it.
  if (entry.bodyHash === request.bodyHash) return [`${idOf(request)} was answered ${code ?? 'nothing'} and is there`];
  // A repeat elsewhere may be committed after this answer; what was there before it was asked for is no such thing.
  return entry.at < askedAt - 5_000 ? [`${idOf(request)} was refused with ${code ?? 'nothing'} and is there`] : [];
}

/** Projections that differ from the fold of their log. */
export function unprojected(log: MemoryLog): string[] {
  const faults: string[] = [];
  for (const [id, entries] of byConversation(log.committed())) {
    const state = emptyState(id);
    for (const entry of entries) applyEntry(state, entry);
    const rows = [...(log.members.get(id) ?? [])].filter(([, row]) => row.leftSeq === null);
    const members = rows.map(([userId, { role, joinedSeq, joinedAt, firstSeq }]) =>
      asPair(userId, { role, joinedSeq, joinedAt, firstSeq, lastMessageAt: 0 }),
    );
    const byUser = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);
    if (!isDeepStrictEqual(members.sort(byUser), [...state.members].sort(byUser)))
      faults.push(`members of ${id} differ`);
    const row = log.conversations.get(id);
    if (!isDeepStrictEqual(row?.info, state.info)) faults.push(`info of ${id} differs`);
    if (row?.memberCount !== state.members.size) faults.push(`member count of ${id} differs`);
    faults.push(...unprojectedTexts(entries));
  }
  return faults;
}

const asPair = (userId: string, member: object): [string, object] => [userId, member];

function unprojectedTexts(entries: readonly LogEntry[]): string[] {
  return entries.flatMap(({ seq, body }) => {
    if (body.type !== 'message:new') return [];
    const changes = entries.filter((other) => 'target' in other.body && other.body.target === seq);
    const isDeleted = changes.some((other) => other.body.type === 'message:deleted');
    const edit = changes.findLast((other) => other.body.type === 'message:edited')?.body;
    const shown = isDeleted ? '' : edit?.type === 'message:edited' ? edit.text : body.text;
    const isDone = body.text === shown && (body.deletedAt !== null) === isDeleted;
    const leaked =
      isDeleted &&
      changes.some(({ body: { type }, body: b }) => type === 'message:edited' && 'text' in b && b.text !== '');
    return isDone && !leaked ? [] : [`the text of seq ${seq} is not the one of its changes`];
  });
}
