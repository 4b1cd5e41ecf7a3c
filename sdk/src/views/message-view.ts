import type { Message, UserSummary } from '../contract.ts';
import type { HeldProblem, OutboxItem } from '../store/store.ts';
import { deleted, furtherStatus, quote } from './change-message.ts';
import type { HeldMessages } from './reduce-messages.ts';

/** A message as an app shows it: one of the log, or one that is on its way there. */
export type MessageView = Omit<Message, 'id' | 'seq' | 'status'> & {
  /** Stable from the first moment of a message on, for lists. */
  key: string;
  /** Null until the platform has it. */
  id: string | null;
  seq: number | null;
  mine: boolean;
  status: 'sending' | 'sent' | 'delivered' | 'read' | 'failed';
  /** Why it failed, with status `failed`. */
  problem: HeldProblem | null;
  /** An edit or deletion of it waits for the platform; it is shown as done. */
  changing: boolean;
};

/** How far the other members are, all of them: a message up to there was delivered or read. */
export type LeastPointers = { deliveredSeq: number; readSeq: number };

const nobody: UserSummary = { id: '', username: '', displayName: '', avatarUrl: null };

/**
 * What to show of a conversation: its messages with what waits in the outbox laid over. Taking an operation out of the
 * outbox is therefore all it takes to roll it back.
 *
 * @param items of this conversation, in order
 * @param user whose device this is
 */
export function createMessageViews(
  held: HeldMessages,
  items: readonly OutboxItem[],
  user: UserSummary = nobody,
  least: LeastPointers = { deliveredSeq: 0, readSeq: 0 },
): MessageView[] {
  const views = held.map(({ message }) => committedView(message, user.id, least));
  const known = new Set(views.filter(({ mine }) => mine).map(({ clientMsgId }) => clientMsgId));
  for (const item of items) {
    if (item.kind === 'send') {
      if (!known.has(item.id)) views.push(pendingView(item, user, held));
      continue;
    }
    const at = views.findIndex(
      ({ id, mine, clientMsgId }) => id === item.target || (mine && clientMsgId === item.target),
    );
    const view = views[at];
    if (view) views[at] = { ...changedView(view, item), changing: true };
  }
  return views;
}

/** What was made of a message before: of thousands only a few are different the next time. */
const made = new WeakMap<Message, MessageView>();

function committedView(message: Message, userId: string, least: LeastPointers): MessageView {
  const mine = message.sender.id === userId;
  const status = mine ? furtherStatus(message.status, statusBy(least, message.seq)) : message.status;
  const before = made.get(message);
  if (before && before.mine === mine && before.status === status) return before;
  const key = mine ? message.clientMsgId : message.id;
  const view: MessageView = { ...message, key, mine, status, problem: null, changing: false };
  made.set(message, view);
  return view;
}

function statusBy({ deliveredSeq, readSeq }: LeastPointers, seq: number): Message['status'] {
  if (seq <= readSeq) return 'read';
  return seq <= deliveredSeq ? 'delivered' : 'sent';
}

/** Whom a message calls, as messages say it. */
function calls(mentions: readonly string[]): Pick<MessageView, 'mentions' | 'mentionsAll'> {
  const ids = mentions.filter((one) => one !== 'all');
  return { mentions: ids, ...(ids.length < mentions.length ? { mentionsAll: true } : {}) };
}

/** An edit as it is shown before the platform took it; without mentions of its own it calls whom the message called. */
function editedView(view: MessageView, { text, mentions, createdAt }: Extract<OutboxItem, { kind: 'edit' }>) {
  const edited = { ...view, text, editedAt: createdAt };
  if (mentions === undefined) return edited;
  const { mentionsAll: _, ...rest } = edited;
  return { ...rest, ...calls(mentions) };
}

function pendingView(
  item: Extract<OutboxItem, { kind: 'send' }>,
  sender: UserSummary,
  held: HeldMessages,
): MessageView {
  const { id: clientMsgId, conversationId, createdAt, problem = null, body } = item;
  const { text = '', attachments = [], type = attachments[0]?.kind ?? 'text', mentions = [], threadRootId } = body;
  const target = body.replyTo === undefined ? undefined : held.find(({ message }) => message.id === body.replyTo);
  return {
    key: clientMsgId,
    id: null,
    seq: null,
    conversationId,
    clientMsgId,
    type,
    sender,
    text,
    attachments,
    ...calls(mentions),
    ...(threadRootId === undefined ? {} : { threadRootId }),
    ...(target ? { replyTo: quote(target.message) } : {}),
    forwardCount: 0,
    reactions: [],
    starred: false,
    pinned: false,
    mine: true,
    status: problem ? 'failed' : 'sending',
    problem,
    changing: false,
    createdAt,
  };
}

function changedView(view: MessageView, item: Exclude<OutboxItem, { kind: 'send' }>): MessageView {
  if (item.kind === 'edit') return editedView(view, item);
  const { text, attachments, mentions, reactions, deletedAt } = deleted(
    { ...view, id: '', seq: 0, status: 'sent' },
    item.createdAt,
  );
  return { ...view, text, attachments, mentions, reactions, ...(deletedAt === undefined ? {} : { deletedAt }) };
}
