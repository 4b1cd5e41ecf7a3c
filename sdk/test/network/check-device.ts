import type { Entry, Message } from '@bluewave/sdk';
import type { Sent, Stay } from './chaos-device.ts';

/** What must not happen, and how often it did. */
export type Violations = {
  /** Entries of the log that a device passed over. */
  lost: number;
  /** Entries that a callback saw twice, and messages that the log has twice. */
  duplicated: number;
  /** Entries or messages that are not in their order. */
  reordered: number;
  /** Things that a device shows otherwise than the log has them. */
  different: number;
  /** Messages that are not in the log. */
  unsent: number;
  /** The first few, in words. */
  examples: string[];
};

/** What the check needs of a device. */
export type Checked = {
  readonly name: string;
  readonly userId: string;
  readonly stays: readonly Stay[];
  readonly sent: readonly Sent[];
};

type Logs = ReadonlyMap<string, readonly Entry[]>;
type Kind = Exclude<keyof Violations, 'examples'>;

/** Compares what a device saw and sent with the logs, and counts what does not fit. */
export function checkDevice(device: Checked, logs: Logs, violations: Violations): void {
  const found = (kind: Kind, example: string): void => {
    violations[kind] += 1;
    if (violations.examples.length < 10) violations.examples.push(`${device.name}: ${kind}: ${example}`);
  };
  for (const stay of device.stays) checkStay(stay, logs.get(stay.conversationId) ?? [], found);
  for (const [id, log] of logs) {
    checkSent(
      device.sent.filter(({ conversationId }) => conversationId === id),
      log,
      device.userId,
      found,
    );
  }
}

function checkStay({ entries }: Stay, log: readonly Entry[], found: (kind: Kind, example: string) => void): void {
  for (const [at, entry] of entries.entries()) {
    const before = at === 0 ? 0 : (entries[at - 1]?.seq ?? 0);
    if (entry.seq === before) found('duplicated', `seq ${entry.seq}`);
    else if (entry.seq < before) found('reordered', `seq ${entry.seq} after ${before}`);
    else if (entry.seq > before + 1) found('lost', `seq ${before + 1} to ${entry.seq - 1}`);
    const logged = log[entry.seq - 1];
    if (!logged || idOf(logged) !== idOf(entry)) found('different', `seq ${entry.seq}: ${idOf(entry)}`);
  }
}

/** What makes two entries the same; the state of a message in one may be newer than in the other. */
function idOf(entry: Entry): string {
  const { type, seq, actor } = entry;
  const message = type === 'message:new' || type === 'message:edited' ? entry.message : undefined;
  return [type, seq, actor, message?.id, message?.clientMsgId].join(' ');
}

function checkSent(
  sent: readonly Sent[],
  log: readonly Entry[],
  userId: string,
  found: (kind: Kind, example: string) => void,
): void {
  const own = new Map<string, Message[]>();
  for (const entry of log) {
    if (entry.type !== 'message:new' || entry.message.sender.id !== userId) continue;
    const { clientMsgId } = entry.message;
    own.set(clientMsgId, [...(own.get(clientMsgId) ?? []), entry.message]);
  }
  let last = 0;
  for (const { key, text } of sent) {
    const [message, ...more] = own.get(key) ?? [];
    if (!message) {
      found('unsent', text);
      continue;
    }
    if (more.length > 0) found('duplicated', text);
    if (message.seq <= last) found('reordered', text);
    if (message.text !== text) found('different', `${text}: the log has ${message.text}`);
    last = message.seq;
  }
}
