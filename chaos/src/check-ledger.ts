import type { DeviceView, Ledger, Log, SeenEntry } from './ledger.ts';

export type Verdict = {
  /** Acked messages that are not in the log at their seq, and log entries a device never applied. */
  lost: number;
  /** Second entries of one client id, and entries a device applied twice. */
  duplicated: number;
  /** Entries a device applied after a later one. */
  reordered: number;
  /** Seqs missing between 1 and the head of a log. */
  holes: number;
  /** Messages of, and entries to, people who were no members. */
  afterRemoval: number;
  /** Acked messages that an offline device was never notified of. */
  unnotified: number;
  /** Sends that never got a definitive answer. */
  unresolved: number;
  /** The first of each kind, for people. */
  examples: string[];
};

const maxExamples = 20;

/** Whether every guarantee held. */
export function isClean({
  lost,
  duplicated,
  reordered,
  holes,
  afterRemoval,
  unnotified,
  unresolved,
}: Verdict): boolean {
  return lost + duplicated + reordered + holes + afterRemoval + unnotified + unresolved === 0;
}

/** Compares what was promised and shown with the log. All figures are 0 when every guarantee held. */
export function checkLedger(ledger: Ledger, log: Log): Verdict {
  const verdict: Verdict = {
    lost: 0,
    duplicated: 0,
    reordered: 0,
    holes: 0,
    afterRemoval: 0,
    unnotified: 0,
    unresolved: ledger.unresolved.length,
    examples: ledger.unresolved
      .slice(0, maxExamples / 2)
      .map(
        ({ conversationId, clientMsgId, lastFailure }) =>
          `unresolved: ${conversationId} ${clientMsgId}: ${lastFailure}`,
      ),
  };
  const note = (kind: 'lost' | 'duplicated' | 'reordered' | 'holes' | 'afterRemoval' | 'unnotified', what: string) => {
    verdict[kind] += 1;
    if (verdict.examples.length < maxExamples) verdict.examples.push(`${kind}: ${what}`);
  };
  for (const [id, entries] of log) checkLog(id, entries, note);
  checkAcks(ledger, log, note);
  for (const device of ledger.devices) checkDevice(device, ledger, log, note);
  checkAbsences(ledger, note);
  checkPhones(ledger, note);
  return verdict;
}

type Note = (kind: 'lost' | 'duplicated' | 'reordered' | 'holes' | 'afterRemoval' | 'unnotified', what: string) => void;

function checkLog(id: string, entries: SeenEntry[], note: Note): void {
  const members = new Set<string>();
  const clientIds = new Set<string>();
  entries.forEach((entry, index) => {
    if (entry.seq !== index + 1) note('holes', `${id} has seq ${entry.seq} at place ${index + 1}`);
    for (const userId of entry.userIds ?? []) members.add(userId);
    if (entry.type === 'member:removed' && entry.userId) members.delete(entry.userId);
    if (entry.type !== 'message:new') return;
    const clientId = `${entry.senderId}/${entry.clientMsgId}`;
    if (clientIds.has(clientId)) note('duplicated', `${id}:${entry.seq} repeats ${clientId}`);
    clientIds.add(clientId);
    if (!members.has(entry.senderId ?? ''))
      note('afterRemoval', `${id}:${entry.seq} is by ${entry.senderId}, no member`);
  });
}

function checkAcks(ledger: Ledger, log: Log, note: Note): void {
  for (const { conversationId, seq, clientMsgId, senderId } of ledger.acked) {
    const entry = log.get(conversationId)?.[seq - 1];
    if (entry?.seq !== seq || entry.clientMsgId !== clientMsgId || entry.senderId !== senderId) {
      note('lost', `${conversationId}:${seq} was acked for ${clientMsgId}`);
    }
  }
}

/** A member's device has applied the whole log, each entry once, in order. Ex-members' devices a beginning of it. */
function checkDevice(device: DeviceView, ledger: Ledger, log: Log, note: Note): void {
  const appliedOf = byConversation(device.applied);
  for (const [id, members] of ledger.members) {
    const applied = appliedOf.get(id) ?? [];
    const seen = new Set<number>();
    let last = 0;
    for (const { seq } of applied) {
      if (seen.has(seq)) note('duplicated', `${device.device} applied ${id}:${seq} twice`);
      else if (seq < last) note('reordered', `${device.device} applied ${id}:${seq} after ${last}`);
      seen.add(seq);
      last = Math.max(last, seq);
    }
    const expected = members.has(device.userId) ? (log.get(id)?.length ?? 0) : last;
    for (let seq = 1; seq <= expected; seq += 1) {
      if (!seen.has(seq)) note('lost', `${device.device} never applied ${id}:${seq}`);
    }
  }
}

function checkAbsences(ledger: Ledger, note: Note): void {
  for (const { conversationId, userId, removedSeq, from, until } of ledger.absences) {
    for (const device of ledger.devices.filter((one) => one.userId === userId)) {
      for (const { seq, at } of device.arrived.filter((one) => one.conversationId === conversationId)) {
        if (at > from && at < until && seq > removedSeq) {
          note('afterRemoval', `${device.device} got ${conversationId}:${seq} after its removal at ${removedSeq}`);
        }
      }
    }
  }
}

function checkPhones(ledger: Ledger, note: Note): void {
  for (const phone of ledger.phones) {
    for (const { conversationId, seq, senderId } of ledger.acked) {
      if (!phone.conversationIds.includes(conversationId) || senderId === phone.userId) continue;
      if (!phone.received.has(`${conversationId}:${seq}`)) {
        note('unnotified', `${phone.token} was not sent ${conversationId}:${seq}`);
      }
    }
  }
}

function byConversation(entries: SeenEntry[]): Map<string, SeenEntry[]> {
  const grouped = new Map<string, SeenEntry[]>();
  for (const entry of entries) {
    const group = grouped.get(entry.conversationId);
    if (group) group.push(entry);
    else grouped.set(entry.conversationId, [entry]);
  }
  return grouped;
}
