import type { ServerDuplexStream } from '@grpc/grpc-js';
import { AppError, notFound } from '@bluewave/errors/app-error';
import { errorTable } from '@bluewave/errors/error-table';
import type { Command } from '@bluewave/protos/generated/bluewave/chat/v1/Command';
import type { CommandBatch } from '@bluewave/protos/generated/bluewave/chat/v1/CommandBatch';
import type { MarkPointer } from '@bluewave/protos/generated/bluewave/chat/v1/MarkPointer';
import type { Reply } from '@bluewave/protos/generated/bluewave/chat/v1/Reply';
import type { ReplyBatch } from '@bluewave/protos/generated/bluewave/chat/v1/ReplyBatch';
import type { SendMessage } from '@bluewave/protos/generated/bluewave/chat/v1/SendMessage';
import { sleep } from '@bluewave/runtime/deadline';
import { isMessage, presentMessage } from '../events/present-message.ts';
import { type NewMessage, sendMessage } from '../messages/send-message.ts';
import { requireMembership } from '../reading/conversation-views.ts';
import { hydrate, nothingHydrated } from '../reading/hydrate.ts';
import type { ReadStore } from '../reading/read-store.ts';
import type { ChatDeps } from './chat-deps.ts';
import { checkClientMsgId, checkIds, checkKind } from './check-request.ts';
import { toFailure } from './failures.ts';

/** No caller waits longer. */
const maxTimeoutMs = 5_000;
/** How long a closing server goes on answering what it has accepted. */
const drainMs = 3_000;

type CommandStream = ServerDuplexStream<CommandBatch, ReplyBatch>;

/** Serves the gateways' streams of commands. Replies are gathered as commands are: one message a turn. */
export class CommandStreams {
  readonly #deps: ChatDeps;
  readonly #streams = new Set<CommandStream>();
  #underWay = 0;
  #closed = false;

  constructor(deps: ChatDeps) {
    this.#deps = deps;
  }

  serve(stream: CommandStream): void {
    this.#streams.add(stream);
    let replies: Reply[] = [];
    const flush = (): void => {
      const batch = replies;
      replies = [];
      if (stream.writable) stream.write({ replies: batch });
    };
    const reply = (one: Reply): void => {
      if (replies.push(one) === 1) setImmediate(flush);
    };
    stream.on('data', (batch: CommandBatch) => {
      for (const command of batch.commands) void this.#answer(command).then(reply);
    });
    const gone = (): void => void this.#streams.delete(stream);
    stream.on('error', (error) => {
      gone();
      this.#deps.log.debug({ err: error }, 'a command stream broke');
    });
    stream.on('end', () => {
      gone();
      stream.end();
    });
    stream.on('cancelled', gone);
  }

  /** Answers what was accepted, refuses what comes now, then ends the streams: callers repeat elsewhere. */
  async close(): Promise<void> {
    this.#closed = true;
    const end = Date.now() + drainMs;
    while (this.#underWay > 0 && Date.now() < end) await sleep(20);
    // What was answered in this turn is still on its way out.
    await sleep(50);
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }

  /** Never rejects: a failure is a reply. */
  async #answer(command: Command): Promise<Reply> {
    this.#underWay += 1;
    try {
      if (this.#closed) throw new AppError('UNAVAILABLE', 'This server is going away. Try again.');
      return await carryOut(this.#deps, command);
    } catch (thrown) {
      return refusal(this.#deps, command, thrown);
    } finally {
      this.#underWay -= 1;
    }
  }
}

async function carryOut(deps: ChatDeps, command: Command): Promise<Reply> {
  const call = { traceId: command.traceId, deadline: deps.clock() + Math.min(command.timeoutMs, maxTimeoutMs) };
  if (command.send) return { id: command.id, sent: await send(deps, command.actorId, command.send, call) };
  if (command.mark) return { id: command.id, marked: await mark(deps, command.actorId, command.mark) };
  throw new AppError('VALIDATION_FAILED', 'The command is empty.');
}

async function send(deps: ChatDeps, actorId: string, input: SendMessage, call: { traceId: string; deadline: number }) {
  const kind = checkKind(input.type);
  const { conversationId, clientMsgId, text, attachments, mentionUserIds: mentions, mentionsAll } = input;
  // What is no id must not get as far as a batch, where it would be in the way of everybody else's.
  checkIds(actorId, conversationId, ...attachments.map(({ uploadId }) => uploadId), ...mentions);
  checkClientMsgId(clientMsgId);
  const references = await readReferences(deps.reads, input);
  const message = {
    actorId,
    conversationId,
    clientMsgId,
    kind,
    text,
    attachments,
    mentions,
    mentionsAll,
    ...references,
  };
  const append = sendMessage(message, call, deps.clock);
  // With nothing to write the writer answers what the same request wrote before, if it did.
  const { entry, duplicate } = await deps.writer.append(input.repeatOnly ? { ...append, prepare: () => null } : append);
  if (!entry && input.repeatOnly) throw notFound();
  if (!entry || !isMessage(entry)) throw new AppError('IDEMPOTENCY_MISMATCH', 'This clientMsgId is not a message.');
  deps.log.debug({ traceId: call.traceId, conversationId, seq: entry.seq, duplicate }, 'message committed');
  // What was just written is shown without asking the database, unless it is shown with something else.
  const isPlain = entry.body.replyTo === undefined && !duplicate;
  const hydrated = isPlain ? nothingHydrated : await hydrate(deps.reads, [entry], actorId);
  return { message: presentMessage(entry, hydrated), duplicate };
}

/** The messages that a new one names, as they are now. Whether they will do is for the rules to say. */
async function readReferences(
  reads: ReadStore,
  { conversationId, replyToSeq, threadRootSeq }: SendMessage,
): Promise<Pick<NewMessage, 'replyTo' | 'threadRoot'>> {
  const seqs = [replyToSeq, threadRootSeq].filter((seq) => seq > 0);
  if (seqs.length === 0) return {};
  const found = new Map((await reads.entries(conversationId, [...new Set(seqs)])).map((entry) => [entry.seq, entry]));
  const reference = (seq: number) => ({ seq, entry: found.get(seq) ?? null });
  return {
    ...(replyToSeq > 0 ? { replyTo: reference(replyToSeq) } : {}),
    ...(threadRootSeq > 0 ? { threadRoot: reference(threadRootSeq) } : {}),
  };
}

async function mark(deps: ChatDeps, userId: string, input: MarkPointer) {
  const { conversationId, readSeq, deliveredSeq } = input;
  checkIds(userId, conversationId);
  // A warm conversation whose head is as far says all there is to know of a member whose pointers were seen before.
  const warm = deps.writer.peek(conversationId);
  const known = deps.pointers.knows(conversationId, userId);
  if (known && warm?.members.has(userId) && Math.max(readSeq, deliveredSeq) <= warm.head) {
    return deps.pointers.advance({ conversationId, userId, readSeq, deliveredSeq });
  }
  const membership = await requireMembership(deps.reads, conversationId, userId);
  deps.pointers.note(membership);
  const [head] = await deps.reads.heads([conversationId]);
  const last = head?.seq ?? 0;
  return deps.pointers.advance({
    conversationId,
    userId,
    readSeq: Math.min(readSeq, last),
    deliveredSeq: Math.min(deliveredSeq, last),
  });
}

function refusal(deps: ChatDeps, command: Command, thrown: unknown): Reply {
  const error = toFailure(thrown);
  // That a part is away for the moment is told by that part; here it is no fault of ours.
  const level = errorTable[error.code].http < 500 ? 'debug' : error.code === 'UNAVAILABLE' ? 'warn' : 'error';
  deps.log[level]({ err: error, traceId: command.traceId }, 'a command failed');
  return {
    id: command.id,
    error: {
      code: error.code,
      detail: error.detail,
      retryAfterMs: error.retryAfterMs ?? 0,
      mutedUntil: error.mutedUntil ?? '',
      fields: error.fields ?? [],
    },
  };
}
