import { randomUUID } from 'node:crypto';
import type { AttachmentInput } from '@bluewave/protos/generated/bluewave/chat/v1/Attachment';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { CommandInput } from '@bluewave/protos/generated/bluewave/chat/v1/Command';
import type { Message } from '@bluewave/protos/generated/bluewave/chat/v1/Message';
import type { Reply } from '@bluewave/protos/generated/bluewave/chat/v1/Reply';
import { createClient, type RpcClient } from '@bluewave/rpc/client';
import { MicroBatchStream } from '@bluewave/rpc/micro-batch-stream';
import { type CallContext, loadService } from '@bluewave/rpc/service-definition';
import { persist } from './outcomes.ts';

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
  mentionUserIds?: string[];
  mentionsAll?: boolean;
  replyToSeq?: number;
  threadRootSeq?: number;
};
type Calls = RpcClient<ChatServiceDefinition>['call'];

/** What was answered to a send: the message, or the code of the refusal. */
export type Sent = { message?: Message; duplicate?: boolean; code?: string; fields?: string[] };

/** One replica of chat as gateways see it: its RPCs, and commands over one stream. */
export class Replica {
  /** The RPCs, each with a deadline of its own. */
  readonly call: { [K in keyof Calls]: (request: Parameters<Calls[K]>[0]) => ReturnType<Calls[K]> };
  /** The same as callers ask on a busy machine: what may be repeated is, so what was done by then is asked for again. */
  readonly insist: { [K in keyof Calls]: (request: Parameters<Calls[K]>[0]) => ReturnType<Calls[K]> };
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
    this.insist = Object.fromEntries(
      named.map(([name, call]) => [name, (request: never) => persist(async () => call(request, context()))]),
    ) as typeof this.insist;
  }

  command(actorId: string, body: Pick<CommandInput, 'send' | 'mark'>, timeoutMs = 3_000): Promise<Reply> {
    return this.#stream.ask((id) => ({ id, actorId, traceId: 'f'.repeat(32), timeoutMs, ...body }), patienceMs);
  }

  async send({ actorId, clientMsgId = randomUUID(), attachments = [], ...rest }: Send): Promise<Sent> {
    const send = { clientMsgId, type: 'text', attachments, ...rest };
    const { sent, error } = await this.command(actorId, { send });
    if (sent?.message) return { message: sent.message, duplicate: sent.duplicate };
    const fields = (error?.fields ?? []).map(({ path }) => path);
    return { code: error?.code ?? 'no reply', ...(fields.length > 0 ? { fields } : {}) };
  }

  /** A send that succeeds in the end, as clients repeat it. */
  async say(actorId: string, conversationId: string, text: string): Promise<Message> {
    const send = { actorId, conversationId, text, clientMsgId: randomUUID() };
    for (;;) {
      const { message, code } = await this.send(send).catch((): Sent => ({ code: 'UNAVAILABLE' }));
      if (message) return message;
      if (code !== 'UNAVAILABLE' && code !== 'DEADLINE_EXCEEDED') throw new Error(`the send was refused: ${code}`);
    }
  }

  /** @returns the pointers, or the code of the refusal. */
  async mark(actorId: string, conversationId: string, seqs: { readSeq?: number; deliveredSeq?: number }) {
    const mark = { conversationId, readSeq: 0, deliveredSeq: 0, ...seqs };
    const { marked, error } = await this.command(actorId, { mark });
    return marked ?? { code: error?.code ?? 'no reply' };
  }

  /** A new group. @returns its id. */
  group(ownerId: string, ...userIds: string[]): Promise<string> {
    return this.#create({ actorId: ownerId, userIds, type: 'group', name: 'a group' });
  }

  /** A new room. @returns its id. */
  room(ownerId: string, name: string): Promise<string> {
    return this.#create({ actorId: ownerId, userIds: [], type: 'room', name });
  }

  close(): void {
    this.#stream.close();
    this.#rpc.close();
  }

  async #create(what: { actorId: string; userIds: string[]; type: string; name: string }): Promise<string> {
    const { conversation } = await this.insist.CreateConversation({
      ...{ ...what, description: '', idempotencyKey: randomUUID() },
    });
    return conversation?.info?.id ?? '';
  }
}
