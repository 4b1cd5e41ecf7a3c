import type { ServerDuplexStream } from '@grpc/grpc-js';
import { AppError, toAppError } from '@bluewave/errors/app-error';
import { errorTable } from '@bluewave/errors/error-table';
import type { Command } from '@bluewave/protos/generated/bluewave/chat/v1/Command';
import type { CommandBatch } from '@bluewave/protos/generated/bluewave/chat/v1/CommandBatch';
import type { MarkPointer } from '@bluewave/protos/generated/bluewave/chat/v1/MarkPointer';
import type { Reply } from '@bluewave/protos/generated/bluewave/chat/v1/Reply';
import type { ReplyBatch } from '@bluewave/protos/generated/bluewave/chat/v1/ReplyBatch';
import type { SendMessage } from '@bluewave/protos/generated/bluewave/chat/v1/SendMessage';
import { isMessage, presentMessage } from '../events/present-entry.ts';
import type { MessageKind } from '../log/entry.ts';
import { sendMessage } from '../messages/send-message.ts';
import { requireMembership } from '../reading/conversation-views.ts';
import type { ChatDeps } from './chat-deps.ts';

const kinds: readonly string[] = ['text', 'image', 'file', 'audio', 'video', 'system'] satisfies MessageKind[];

type CommandStream = ServerDuplexStream<CommandBatch, ReplyBatch>;

/** Serves the gateways' streams of commands. Replies are gathered as commands are: one message a turn. */
export class CommandStreams {
  readonly #deps: ChatDeps;
  readonly #streams = new Set<CommandStream>();

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
      for (const command of batch.commands) {
        carryOut(this.#deps, command).then(reply, (error: unknown) => reply(refusal(this.#deps, command, error)));
      }
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

  /** Ends the streams: callers repeat elsewhere what was not answered. */
  async close(): Promise<void> {
    // What was answered in this turn is still on its way out.
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }
}

async function carryOut(deps: ChatDeps, command: Command): Promise<Reply> {
  const call = { traceId: command.traceId, deadline: deps.clock() + command.timeoutMs };
  if (command.send) return { id: command.id, sent: await send(deps, command.actorId, command.send, call) };
  if (command.mark) return { id: command.id, marked: await mark(deps, command.actorId, command.mark) };
  throw new AppError('VALIDATION_FAILED', 'The command is empty.');
}

async function send(deps: ChatDeps, actorId: string, input: SendMessage, call: { traceId: string; deadline: number }) {
  if (!kinds.includes(input.type)) throw new AppError('VALIDATION_FAILED', 'No such type of message.');
  const { conversationId, clientMsgId, text, attachments } = input;
  const kind = input.type as MessageKind;
  const message = { actorId, conversationId, clientMsgId, kind, text, attachments };
  const { entry, duplicate } = await deps.writer.append(sendMessage(message, call));
  if (!entry || !isMessage(entry)) throw new AppError('IDEMPOTENCY_MISMATCH', 'This clientMsgId is not a message.');
  return { message: presentMessage(entry), duplicate };
}

async function mark(deps: ChatDeps, userId: string, input: MarkPointer) {
  const { conversationId } = input;
  // A warm conversation whose head is as far says all there is to know.
  const warm = deps.writer.peek(conversationId);
  if (warm?.members.has(userId) && Math.max(input.readSeq, input.deliveredSeq) <= warm.head) {
    return deps.pointers.advance({ conversationId, userId, readSeq: input.readSeq, deliveredSeq: input.deliveredSeq });
  }
  const membership = await requireMembership(deps.reads, conversationId, userId);
  const asked = { readSeq: input.readSeq, deliveredSeq: input.deliveredSeq };
  if (asked.readSeq <= membership.readSeq && asked.deliveredSeq <= membership.deliveredSeq) {
    return { readSeq: membership.readSeq, deliveredSeq: membership.deliveredSeq };
  }
  const [head] = await deps.reads.heads([conversationId]);
  const last = head?.seq ?? 0;
  return deps.pointers.advance({
    conversationId,
    userId,
    readSeq: Math.min(asked.readSeq, last),
    deliveredSeq: Math.min(asked.deliveredSeq, last),
  });
}

function refusal(deps: ChatDeps, command: Command, thrown: unknown): Reply {
  const error = toAppError(thrown);
  if (errorTable[error.code].http >= 500) {
    deps.log.error({ err: error, traceId: command.traceId }, 'a command failed');
  }
  return {
    id: command.id,
    error: {
      code: error.code,
      detail: error.detail,
      retryAfterMs: error.retryAfterMs ?? 0,
      mutedUntil: error.mutedUntil ?? '',
    },
  };
}
