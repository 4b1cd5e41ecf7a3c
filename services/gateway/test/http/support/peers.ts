import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { AuthServiceDefinition } from '@bluewave/protos/generated/bluewave/auth/v1/AuthService';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import type { Command } from '@bluewave/protos/generated/bluewave/chat/v1/Command';
import type { CommandBatch } from '@bluewave/protos/generated/bluewave/chat/v1/CommandBatch';
import type { ReplyInput } from '@bluewave/protos/generated/bluewave/chat/v1/Reply';
import { type RpcServer, startRpcServer } from '@bluewave/rpc/server';
import { type Handlers, loadService } from '@bluewave/rpc/service-definition';
import { log } from './services.ts';

const common = { host: '127.0.0.1', tls: undefined, allowedCallers: [], log };

/** A peer that answers what a test says, over real gRPC. */
export function startScriptedAuth(unary: Partial<Handlers<AuthServiceDefinition>>, port = 0): Promise<RpcServer> {
  const definition = loadService<AuthServiceDefinition>('auth', 'AuthService');
  return startRpcServer({ ...common, port, services: [{ definition, unary: { ...unary } }] });
}

/** What a scripted chat does with a command: a reply, no answer ever, or the stream breaks without one. */
export type ScriptedAnswer = Omit<ReplyInput, 'id'> | 'silence' | 'break';

export function startScriptedChat(
  unary: Partial<Handlers<ChatServiceDefinition>>,
  answer: (command: Command) => ScriptedAnswer = () => 'silence',
  port = 0,
): Promise<RpcServer> {
  const definition = loadService<ChatServiceDefinition>('chat', 'ChatService');
  const Commands = (stream: ServerDuplexStream<never, unknown>): void => {
    stream.on('data', ({ commands }: CommandBatch) => {
      const answers = commands.map((command) => ({ id: command.id, answer: answer(command) }));
      if (answers.some((one) => one.answer === 'break')) {
        return void stream.emit('error', { code: status.UNAVAILABLE, details: 'the process died' });
      }
      const replies = answers.flatMap((one) => (typeof one.answer === 'string' ? [] : [{ id: one.id, ...one.answer }]));
      if (replies.length > 0) stream.write({ replies });
    });
    stream.on('end', () => stream.end());
  };
  return startRpcServer({ ...common, port, services: [{ definition, unary: { ...unary }, streams: { Commands } }] });
}
