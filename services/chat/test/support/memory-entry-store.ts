import type { BootStore } from '../../src/log/boot-lease.ts';
import {
  type ConversationState,
  emptyState,
  foldPermissions,
  newMembership,
} from '../../src/log/conversation-state.ts';
import type { ConversationInfo, LogEntry } from '../../src/log/entry.ts';
import type { EntryStore } from '../../src/log/entry-store.ts';
import type { ProjectionStore } from '../../src/log/projections.ts';
import type { AbandonedBootStore } from '../../src/log/recovery.ts';
import type { EntryPublisherOptions } from '../../src/events/entry-publisher.ts';
import type { ConversationRow, MemberRow, MemoryLog } from './memory-log.ts';
import { nth } from './nth.ts';

type PublisherReads = EntryPublisherOptions['reads'];

/** Called around each access: where time passes, where a process may die, where a store may be away. */
export type Step = () => Promise<void>;
const noStep: Step = async () => undefined;

const access =
  (step: Step) =>
  async <T>(act: () => T): Promise<T> => {
    await step();
    const result = act();
    await step();
    return result;
  };

export function createMemoryEntryStore(log: MemoryLog, step: Step = noStep): EntryStore {
  const at = access(step);
  return {
    insert: (entries, ordered) =>
      at(() => {
        const outcomes = log.apply(entries, ordered);
        log.commit();
        return outcomes;
      }),
    readAfter: (conversationId, after, limit) => at(() => log.after(conversationId, after, limit)),
    findByClientMsgId: (conversationId, senderId, clientMsgId) =>
      at(() => log.byClientId(conversationId, senderId, clientMsgId)),
    readByBoot: (boot, fromAt, limit) => at(() => log.byBoot(boot, fromAt).slice(0, limit)),
    async loadState(conversationId) {
      const conversation = await at(() => structuredClone(log.conversations.get(conversationId)));
      const members = await at(() => structuredClone(log.members.get(conversationId)));
      const head = await at(() => log.head(conversationId));
      const state = stateOf(conversationId, conversation, members);
      if (head === 0) return state;
      const open = await at(() => log.permissionsAfter(conversationId, conversation?.appliedSeq ?? 0, head));
      for (const entry of open) foldPermissions(state, entry);
      state.head = head;
      return state;
    },
  };
}

function stateOf(id: string, row: ConversationRow | undefined, members: Map<string, MemberRow> | undefined) {
  const state: ConversationState = emptyState(id);
  if (row) {
    state.info = row.info;
    state.createdAt = row.createdAt;
    state.updatedAt = row.updatedAt;
    state.deletedAt = row.deletedAt;
  }
  for (const [userId, { role, joinedSeq, joinedAt, firstSeq, leftSeq, ban }] of members ?? []) {
    if (leftSeq === null) state.members.set(userId, { role, joinedSeq, joinedAt, firstSeq, lastMessageAt: 0 });
    if (ban) state.bans.set(userId, ban);
  }
  return state;
}

export function createMemoryProjectionStore(log: MemoryLog, step: Step = noStep): ProjectionStore {
  const at = access(step);
  return {
    async projectMembers(conversationId) {
      const appliedSeq = await at(() => log.conversations.get(conversationId)?.appliedSeq ?? 0);
      const open = await at(() => log.permissionsAfter(conversationId, appliedSeq, Number.MAX_SAFE_INTEGER));
      let info = log.conversations.get(conversationId)?.info ?? null;
      for (const entry of open) {
        info = infoAfter(info, entry);
        for (const write of memberWrites(log, entry, info)) await at(write);
      }
      if (open.length > 0) await at(() => writeConversation(log, conversationId, open));
    },
    async projectEdit({ conversationId, seq, at: editedAt, body: edit }) {
      const deleted = await at(() => {
        let gone = false;
        log.change(conversationId, edit.target, (body) => {
          if (body.type !== 'message:new') return;
          const isNewest = (body.edits ?? []).every((other) => other < seq);
          const { mentions = [], mentionsAll = false } = edit;
          body.edits = [...new Set([...(body.edits ?? []), seq])];
          gone = body.deletedAt !== null;
          if (!gone) body.original ??= body.text;
          if (isNewest && !gone) Object.assign(body, { text: edit.text, editedAt, mentions, mentionsAll });
        });
        return gone;
      });
      if (deleted) await at(() => blank(log, conversationId, [seq]));
    },
    async projectDeletion({ conversationId, at: deletedAt, body: { target } }) {
      const { edits, threadRoot } = await at(() => {
        let known: { edits: number[]; threadRoot?: number } = { edits: [] };
        log.change(conversationId, target, (body) => {
          if (body.type !== 'message:new') return;
          Object.assign(body, { text: '', attachments: [], editedAt: null, pinned: false, mentions: [] });
          Object.assign(body, { mentionsAll: false, deletedAt: Math.min(body.deletedAt ?? Infinity, deletedAt) });
          delete body.original;
          known = {
            edits: body.edits ?? [],
            ...(body.threadRoot === undefined ? {} : { threadRoot: body.threadRoot }),
          };
        });
        return known;
      });
      await at(() => blank(log, conversationId, edits));
      await at(() => recount(log, conversationId, target));
      if (threadRoot !== undefined) await at(() => recount(log, conversationId, threadRoot));
    },
    async projectReaction({ conversationId, senderId, seq, body: { target, emoji, on } }) {
      const address = `${conversationId}:${target}`;
      const key = `${address} ${senderId} ${emoji}`;
      await at(() => {
        const known = log.reactions.get(key);
        if (!known || known.seq < seq) log.reactions.set(key, { target: address, emoji, on, seq });
      });
      await at(() => recount(log, conversationId, target));
    },
    projectPin: ({ conversationId, seq, body: { target, on } }) =>
      at(() =>
        log.change(conversationId, target, (body) => {
          const address = `${conversationId}:${target}`;
          const isNewest = (log.pins.get(address) ?? 0) < seq;
          if (isNewest) log.pins.set(address, seq);
          if (body.type === 'message:new' && body.deletedAt === null && isNewest) body.pinned = on;
        }),
      ),
    async projectMessage({ conversationId, seq, body: { threadRoot, forwarded } }) {
      if (forwarded) {
        const source = `${forwarded.conversationId}:${forwarded.seq}`;
        await at(() => {
          log.forwards.set(source, (log.forwards.get(source) ?? new Set()).add(`${conversationId}:${seq}`));
        });
        await at(() => recount(log, forwarded.conversationId, forwarded.seq));
      }
      if (threadRoot !== undefined) await at(() => recount(log, conversationId, threadRoot));
    },
  };
}

/** What the publisher shows entries with. */
export function createMemorySharedReads(log: MemoryLog, step: Step = noStep): PublisherReads {
  const at = access(step);
  return {
    entriesAt: (addresses) =>
      at(() => addresses.flatMap(({ conversationId, seq }) => log.after(conversationId, seq - 1, 1))),
    shared: (conversationIds) =>
      at(
        () =>
          new Map(
            conversationIds.flatMap((conversationId) => {
              const row = log.conversations.get(conversationId);
              return row ? [[conversationId, { ...row.info, ...row, conversationId }] as const] : [];
            }),
          ),
      ),
    leftAt: (conversationId, seq) =>
      at(() => [...(log.members.get(conversationId) ?? [])].flatMap(([id, row]) => (row.leftSeq === seq ? [id] : []))),
  };
}

function recount(log: MemoryLog, conversationId: string, seq: number): void {
  const address = `${conversationId}:${seq}`;
  const counted = new Map<string, number>();
  for (const { target, emoji, on } of [...log.reactions.values()].sort((a, b) => a.seq - b.seq)) {
    if (target === address && on) counted.set(emoji, (counted.get(emoji) ?? 0) + 1);
  }
  const replies = log.replies(conversationId, seq);
  log.change(conversationId, seq, (body) => {
    if (body.type !== 'message:new') return;
    body.counts = {
      reactions: body.deletedAt === null ? [...counted].map(([emoji, count]) => ({ emoji, count })) : [],
      replies: replies.length,
      lastReplySeq: replies.at(-1) ?? 0,
      forwards: log.forwards.get(address)?.size ?? 0,
    };
  });
}

function infoAfter(info: ConversationInfo | null, { body }: LogEntry): ConversationInfo | null {
  if (body.type === 'member:added' && body.created) return body.created;
  return body.type === 'conversation:updated' && info ? { ...info, ...body.changes } : info;
}

function blank(log: MemoryLog, conversationId: string, seqs: number[]): void {
  for (const seq of seqs) {
    log.change(conversationId, seq, (body) => {
      if (body.type === 'message:edited') body.text = '';
    });
  }
}

function memberWrites(log: MemoryLog, entry: LogEntry, info: ConversationInfo | null): (() => void)[] {
  const { conversationId, seq, at, body } = entry;
  const rows = log.members.get(conversationId) ?? new Map<string, MemberRow>();
  log.members.set(conversationId, rows);
  const write = (userId: string, fields: Partial<MemberRow>) => () => {
    const row = rows.get(userId);
    if ((row?.appliedSeq ?? 0) >= seq) return;
    const blankRow: MemberRow = {
      role: 'member',
      joinedSeq: 0,
      joinedAt: 0,
      firstSeq: 1,
      leftSeq: null,
      appliedSeq: 0,
    };
    const next = { ...blankRow, ...row, ...fields, appliedSeq: seq };
    if (next.leftSeq === null || (body.type === 'conversation:updated' && body.lifted === userId)) delete next.ban;
    rows.set(userId, next);
  };
  switch (body.type) {
    case 'member:added':
      return body.userIds.map((userId) =>
        write(userId, { ...newMembership(info, entry, userId), joinedAt: at, leftSeq: null }),
      );
    case 'member:removed':
      return [write(body.userId, { leftSeq: seq, ...(body.ban ? { ban: body.ban } : {}) })];
    case 'member:updated':
      return [
        write(body.userId, { role: body.role }),
        ...(body.demoted === undefined ? [] : [write(body.demoted, { role: 'admin' })]),
      ];
    case 'conversation:updated':
      return [
        ...(body.banned ? [write(body.banned.userId, { leftSeq: seq, ban: body.banned })] : []),
        ...(body.lifted !== undefined && rows.has(body.lifted) ? [write(body.lifted, {})] : []),
      ];
    case 'conversation:deleted':
      return [...rows].filter(([, { leftSeq }]) => leftSeq === null).map(([userId]) => write(userId, { leftSeq: seq }));
    default:
      return [];
  }
}

function writeConversation(log: MemoryLog, conversationId: string, applied: LogEntry[]): void {
  const row = log.conversations.get(conversationId);
  const last = nth(applied, -1);
  if ((row?.appliedSeq ?? 0) >= last.seq) return;
  const info = applied.reduce(infoAfter, row?.info ?? null);
  if (!info) throw new Error('a conversation begins with its creation');
  const deletion = applied.find(({ body }) => body.type === 'conversation:deleted');
  const memberCount = [...(log.members.get(conversationId)?.values() ?? [])].filter((m) => m.leftSeq === null).length;
  log.conversations.set(conversationId, {
    info,
    createdAt: row?.createdAt ?? nth(applied, 0).at,
    updatedAt: last.at,
    deletedAt: row?.deletedAt ?? deletion?.at ?? null,
    memberCount,
    appliedSeq: last.seq,
  });
}

export function createMemoryBootStore(log: MemoryLog, step: Step = noStep): BootStore & AbandonedBootStore {
  const at = access(step);
  const fresh = { watermark: 0, leaseUntil: 0, claimedUntil: 0, passes: 0, nextPassAt: 0 };
  return {
    write: ({ boot, watermark, leaseUntil }) =>
      at(() => void log.boots.set(boot, { ...(log.boots.get(boot) ?? fresh), watermark, leaseUntil })),
    remove: (boot) => at(() => void log.boots.delete(boot)),
    claim: (now, claimMs) =>
      at(() => {
        const [due] = [...log.boots]
          .filter(([, row]) => row.leaseUntil < now && row.claimedUntil < now && row.nextPassAt <= now)
          .sort(([, a], [, b]) => a.leaseUntil - b.leaseUntil);
        if (!due) return null;
        const [boot, row] = due;
        row.claimedUntil = now + claimMs;
        return { boot, watermark: row.watermark, passes: row.passes };
      }),
    finishPass: (boot, nextPassAt) =>
      at(() => {
        const row = log.boots.get(boot);
        if (row) Object.assign(row, { passes: row.passes + 1, nextPassAt, claimedUntil: 0 });
      }),
  };
}
