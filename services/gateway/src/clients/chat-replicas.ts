import { AppError, toAppError } from '@bluewave/errors/app-error';
import { isErrorCode } from '@bluewave/errors/error-table';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { CommandError } from '@bluewave/protos/generated/bluewave/chat/v1/CommandError';
import type { Command } from '@bluewave/protos/generated/bluewave/chat/v1/Command';
import type { MarkPointer } from '@bluewave/protos/generated/bluewave/chat/v1/MarkPointer';
import type { MarkReply } from '@bluewave/protos/generated/bluewave/chat/v1/MarkReply';
import type { Reply } from '@bluewave/protos/generated/bluewave/chat/v1/Reply';
import type { SendMessage } from '@bluewave/protos/generated/bluewave/chat/v1/SendMessage';
import type { SendReply } from '@bluewave/protos/generated/bluewave/chat/v1/SendReply';
import { createClient, type RpcClient } from '@bluewave/rpc/client';
import type { TlsFiles } from '@bluewave/rpc/credentials';
import { MicroBatchStream } from '@bluewave/rpc/micro-batch-stream';
import { type CallContext, type Client, loadService } from '@bluewave/rpc/service-definition';
import { sleep } from '@bluewave/runtime/deadline';
import type { Logger } from '@bluewave/runtime/logger';
import { canBeReached } from './can-be-reached.ts';
import { ChatTargets, type Target, type TargetAddress } from './chat-targets.ts';
import { followConnection } from './follow-connection.ts';

/** The RPCs of chat that are calls, not streams. */
export type ChatCalls = Omit<Client<ChatServiceDefinition>, 'Commands'>;

/** Who asks, and until when. */
export type CommandContext = CallContext & { actorId: string };

type ChatTarget = Target & {
  rpc: RpcClient<ChatServiceDefinition>;
  stream: MicroBatchStream<Command, Reply>;
};

/** The longest one try of a command may take. */
const maxTryMs = 2_000;
/** Kept back from the caller's deadline, so that the caller still can answer. */
const marginMs = 50;

/**
 * What may be asked of another replica when one could not be reached: reads, and what is the same done twice (a
 * conversation is created under an idempotency key).
 */
const repeatable: ReadonlySet<keyof ChatCalls> = new Set<keyof ChatCalls>([
  'CreateConversation',
  'GetConversation',
  'UpdateConversation',
  'DiscoverRooms',
  'JoinConversation',
  'ChangeRole',
  'BanUser',
  'LiftBan',
  'ListBans',
  'UpdateMembership',
  'ListConversations',
  'ListMemberships',
  'ListMembers',
  'GetMessage',
  'DeleteMessage',
  'ListMessages',
  'ListEntries',
  'Sync',
  'React',
  'ListReactions',
  'PinMessage',
  'ListPins',
  'ListThread',
  'ListTexts',
  'ListReceipts',
  'ForwardMessage',
  'StarMessage',
  'ListStarred',
  'GetUnread',
  'ReportMessage',
  'GetHeads',
  'CanOpenUpload',
  'FilterAcquainted',
  'ListContacts',
  'PutContact',
  'RemoveContact',
  'ListBlocks',
  'PutBlock',
  'RemoveBlock',
  'LocateDirect',
  'FindBlockers',
]);

/**
 * Every replica of chat, behind one face. Commands travel in micro-batches over one stream a replica; a conversation
 * has a home replica, so that its head is warm there. Correctness never depends on which replica answers.
 */
export class ChatReplicas {
  readonly #targets: ChatTargets<ChatTarget>;
  readonly #definition = loadService<ChatServiceDefinition>('chat', 'ChatService');
  readonly #random: () => number;
  /** Calls to any replica, in turn. */
  readonly any: ChatCalls;

  constructor(options: { address: string; tls: TlsFiles | undefined; log: Logger; random?: () => number }) {
    this.#random = options.random ?? Math.random;
    this.#targets = new ChatTargets({
      address: options.address,
      log: options.log,
      open: (address) => this.#open(address, options.tls),
    });
    this.any = this.#calls(() => this.#targets.next());
  }

  /** Calls to the home replica of a conversation. */
  for(conversationId: string): ChatCalls {
    return this.#calls(() => this.#targets.pick(conversationId));
  }

  /** Sends a message; repeats on UNAVAILABLE while the deadline lasts, since the clientMsgId makes that harmless. */
  async send(send: SendMessage, context: CommandContext): Promise<SendReply> {
    const reply = await this.#command(send.conversationId, { send }, context);
    if (reply.sent) return reply.sent;
    throw new AppError('INTERNAL', 'The platform gave no usable answer. Try again.');
  }

  /** Moves pointers forward; repeated like a send. */
  async mark(mark: MarkPointer, context: CommandContext): Promise<MarkReply> {
    const reply = await this.#command(mark.conversationId, { mark }, context);
    if (reply.marked) return reply.marked;
    throw new AppError('INTERNAL', 'The platform gave no usable answer. Try again.');
  }

  /** Whether any replica can be reached within `ms`. */
  async canBeReached(ms: number): Promise<boolean> {
    const found = this.#targets.all().map(async (target) => {
      if (!(await canBeReached(target.rpc.grpc, ms))) throw unreachable();
    });
    return Promise.any(found).then(
      () => true,
      () => false,
    );
  }

  close(): void {
    this.#targets.close();
  }

  async #command(
    conversationId: string,
    body: Pick<Command, 'send' | 'mark'>,
    context: CommandContext,
  ): Promise<Reply> {
    for (let attempt = 1; ; attempt += 1) {
      const target = this.#targets.pick(conversationId);
      const failure = await this.#try(target, body, context);
      if (!(failure instanceof AppError)) return failure;
      if (failure.code !== 'UNAVAILABLE') throw failure;
      const pause = attempt * (50 + this.#random() * 100);
      if (Date.now() + pause + 2 * marginMs >= context.deadline) throw failure;
      await sleep(pause);
    }
  }

  async #try(
    target: ChatTarget | undefined,
    body: Pick<Command, 'send' | 'mark'>,
    context: CommandContext,
  ): Promise<Reply | AppError> {
    if (!target) return unreachable();
    const timeoutMs = Math.max(1, Math.min(maxTryMs, context.deadline - marginMs - Date.now()));
    const { actorId, traceId } = context;
    try {
      const reply = await target.stream.ask((id) => ({ id, actorId, traceId, timeoutMs, ...body }), timeoutMs);
      return reply.error ? commandError(reply.error) : reply;
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'UNAVAILABLE') this.#targets.avoid(target);
      return error;
    }
  }

  #open(address: TargetAddress, tls: TlsFiles | undefined): ChatTarget {
    const rpc = createClient(this.#definition, address.address, 'chat', tls, address.serverName);
    const { path, requestSerialize, responseDeserialize } = this.#definition.Commands;
    const stream = new MicroBatchStream<Command, Reply>({
      service: 'chat',
      open: () => rpc.grpc.makeBidiStreamRequest(path, requestSerialize, responseDeserialize),
    });
    const close = (): void => {
      stream.close();
      rpc.close();
    };
    const follow = (tell: (isConnected: boolean) => void): void => followConnection(rpc.grpc, tell);
    return { ...address, rpc, stream, follow, close };
  }

  #calls(pick: () => ChatTarget | undefined): ChatCalls {
    const calls: Record<string, (request: never, context: CallContext) => Promise<unknown>> = {};
    for (const name of Object.keys(this.#definition) as (keyof ChatCalls)[]) {
      if (this.#definition[name]?.requestStream) continue;
      calls[name] = (request, context) => this.#call(pick, name, request, context);
    }
    return calls as ChatCalls;
  }

  async #call(
    pick: () => ChatTarget | undefined,
    name: keyof ChatCalls,
    request: never,
    context: CallContext,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      const target = pick();
      try {
        if (!target) throw unreachable();
        return await target.rpc.call[name](request, context);
      } catch (thrown) {
        const error = toAppError(thrown);
        // Without a cause the service itself answered UNAVAILABLE: it was reached.
        if (error.code !== 'UNAVAILABLE' || (target && error.cause === undefined)) throw error;
        if (target) this.#targets.avoid(target);
        const pause = 50 + this.#random() * 100;
        if (!repeatable.has(name) || attempt === 3 || Date.now() + pause + 2 * marginMs >= context.deadline)
          throw error;
        await sleep(pause);
      }
    }
  }
}

function unreachable(): AppError {
  return new AppError('UNAVAILABLE', 'The chat service cannot be reached. Try again.', { retryAfterMs: 500 });
}

/** A refused command as the error its caller gets. */
function commandError(error: CommandError): AppError {
  const code = isErrorCode(error.code) ? error.code : 'INTERNAL';
  return new AppError(code, error.detail, {
    ...(error.retryAfterMs > 0 ? { retryAfterMs: error.retryAfterMs } : {}),
    ...(error.mutedUntil === '' ? {} : { mutedUntil: error.mutedUntil }),
    ...(error.fields.length > 0 ? { fields: error.fields } : {}),
  });
}
