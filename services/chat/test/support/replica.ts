import { randomUUID } from 'node:crypto';
import type { AttachmentInput } from '@bluewave/protos/generated/bluewave/chat/v1/Attachment';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { CommandInput } from '@bluewave/protos/generated/bluewave/chat/v1/Command';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { Reply } from '@bluewave/protos/generated/bluewave/chat/v1/Reply';
import { createClient, type RpcClient } from '@bluewave/rpc/client';
import { MicroBatchStream } from '@bluewave/rpc/micro-batch-stream';
import { type CallContext, loadService } from '@bluewave/rpc/service-definition';

export const definition = loadService<ChatServiceDefinition>('chat', 'ChatService');
/** Longer than a busy machine needs. */
const patienceMs = 8_000;

type Command = CommandInput & { id: number };
type Send = {
  actorId: string;
  conversationId: string;
  text: string;
  clientMsgId?: string;
  attachments?: AttachmentInput[];
};
type Calls = RpcClient<ChatServiceDefinition>['call'];

/** What was answered to a send: the message, or the code of the refusal. */
export type Sent = { message?: Message; duplicate?: boolean; code?: string };

/** One replica of chat as gateways see it: its RPCs, and commands over one stream. */
export class Replica {
  /** The RPCs, each with a deadline of its own. */
  readonly call: { [K in keyof Calls]: (request: Parameters<Calls[K]>[0]) => ReturnType<Calls[K]> };
  readonly #rpc: RpcClient<ChatServiceDefinition>;
  readonly #stream: MicroBatchStream<Command, Reply>;

  constructor(port: number) {
    const rpc = createClient(definition, `127.0.0.1:${port}`, 'chat', undefined);
    this.#rpc = rpc;
    const { path, requestSerialize, responseDeserialize } = definition.Commands;
    const open = () => rpc.grpc.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    this.#stream = new MicroBatchStream<Command, Reply>({ service: 'chat', open });
    const context = (): CallContext => ({ traceId: 'f'.repeat(32), deadline: Date.now() + patienceMs });
    const named = Object.entries(rpc.call as Record<string, (request: never, context: CallContext) => unknown>);
    this.call = Object.fromEntries(
      named.map(([name, call]) => [name, (request: never) => call(request, context())]),
    ) as typeof this.call;
  }

  command(actorId: string, body: Pick<CommandInput, 'send' | 'mark'>, timeoutMs = 3_000): Promise<Reply> {
    return this.#stream.ask((id) => ({ id, actorId, traceId: 'f'.repeat(32), timeoutMs, ...body }), patienceMs);
  }

  async send({ actorId, conversationId, text, clientMsgId = randomUUID(), attachments = [] }: Send): Promise<Sent> {
    const send = { conversationId, clientMsgId, type: 'text', text, attachments };
    const { sent, error } = await this.command(actorId, { send });
    if (sent?.message) return { message: sent.message, duplicate: sent.duplicate };
    return { code: error?.code ?? 'no reply' };
  }

  /** @returns the pointers, or the code of the refusal. */
  async mark(actorId: string, conversationId: string, seqs: { readSeq?: number; deliveredSeq?: number }) {
    const mark = { conversationId, readSeq: 0, deliveredSeq: 0, ...seqs };
    const { marked, error } = await this.command(actorId, { mark });
    return marked ?? { code: error?.code ?? 'no reply' };
  }

  /** A new group. @returns its id. */
  async group(ownerId: string, ...userIds: string[]): Promise<string> {
    const { conversation } = await this.call.CreateConversation({
      ...{ actorId: ownerId, userIds, type: 'group', name: 'a group', description: '', idempotencyKey: '' },
    });
    return conversation?.info?.id ?? '';
  }

  close(): void {
    this.#stream.close();
    this.#rpc.close();
  }
}
