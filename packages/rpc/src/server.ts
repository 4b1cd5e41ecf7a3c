import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type sendUnaryData,
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { toAppError } from '@bluewave/errors/app-error';
import { errorTable } from '@bluewave/errors/error-table';
import { ConfigError } from '@bluewave/runtime/config';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import { inTrace } from '@bluewave/runtime/trace';
import { refuseUnknownCaller } from './allowed-callers.ts';
import { serverCredentials, type TlsFiles } from './credentials.ts';
import { healthImplementation, healthService } from './health.ts';
import type { CallContext } from './service-definition.ts';
import { toStatus, traceKey } from './status.ts';

const defaultDeadlineMs = 2_000;
const drainMs = 10_000;

type UnaryHandler = (request: never, context: CallContext) => Promise<unknown>;
/** Serves one stream until it ends; must not throw. */
export type StreamHandler = (stream: ServerDuplexStream<never, unknown>) => void;

export type ServedService = {
  definition: ServiceDefinition;
  unary: Record<string, UnaryHandler>;
  streams?: Record<string, StreamHandler>;
};

export type RpcServerOptions = {
  host: string;
  /** 0 picks a free one. */
  port: number;
  tls: TlsFiles | undefined;
  /** Names of client certificates that may call, when TLS is on; empty allows all of our CA. */
  allowedCallers: string[];
  log: Logger;
  services: ServedService[];
};

export type RpcServer = { port: number; close(): Promise<void> };

/**
 * A gRPC server with health service. Handlers throw AppErrors; anything else is logged once with the trace id and
 * reaches the caller as INTERNAL without its cause.
 * @throws ConfigError when the port is in use.
 */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const server = new Server({
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.max_receive_message_length': 8 * 1024 * 1024,
  });
  let serving = true;
  server.addService(
    healthService(),
    healthImplementation(() => serving),
  );
  for (const service of options.services) {
    server.addService(service.definition, implementation(service, options));
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${options.host}:${options.port}`, serverCredentials(options.tls), (error, bound) =>
      error ? reject(cannotListen(options, error)) : resolve(bound),
    );
  });
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        serving = false;
        const force = setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, drainMs);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      }),
  };
}

function cannotListen({ host, port }: RpcServerOptions, cause: Error): ConfigError {
  return new ConfigError(`GRPC_PORT ${port} on ${host} cannot be opened: ${cause.message}`, { cause });
}

function implementation(service: ServedService, options: RpcServerOptions): UntypedServiceImplementation {
  const served: UntypedServiceImplementation = {};
  for (const [name, handler] of Object.entries(service.unary)) {
    const serve: handleUnaryCall<never, unknown> = (call, respond) => {
      void answer(name, handler, call, respond, options);
    };
    served[name] = serve as unknown as handleUnaryCall<unknown, unknown>;
  }
  for (const [name, handler] of Object.entries(service.streams ?? {})) {
    const serve: handleBidiStreamingCall<never, unknown> = (call) => {
      const refusal = refuseUnknownCaller(call, options.allowedCallers);
      if (refusal) call.emit('error', toStatus(refusal));
      else handler(call);
    };
    served[name] = serve as unknown as handleBidiStreamingCall<unknown, unknown>;
  }
  return served;
}

async function answer(
  name: string,
  handler: UnaryHandler,
  call: ServerUnaryCall<never, unknown>,
  respond: sendUnaryData<unknown>,
  options: RpcServerOptions,
): Promise<void> {
  const context = contextOf(call);
  try {
    const refusal = refuseUnknownCaller(call, options.allowedCallers);
    if (refusal) throw refusal;
    respond(null, await inTrace(context.traceId, () => handler(call.request, context)));
  } catch (thrown) {
    const error = toAppError(thrown);
    if (errorTable[error.code].http >= 500) {
      options.log.error({ err: error, traceId: context.traceId, method: name }, 'call failed');
    }
    respond(toStatus(error));
  }
}

function contextOf(call: ServerUnaryCall<never, unknown>): CallContext {
  const given = call.getDeadline();
  const deadline = given instanceof Date ? given.getTime() : given;
  const traceId = call.metadata.get(traceKey)[0];
  return {
    traceId: typeof traceId === 'string' ? traceId : newTraceId(),
    deadline: Number.isFinite(deadline) ? deadline : Date.now() + defaultDeadlineMs,
  };
}
