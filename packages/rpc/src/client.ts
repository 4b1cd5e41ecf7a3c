import { Client as GrpcClient, Metadata, type ServiceDefinition, type ServiceError } from '@grpc/grpc-js';
import { channelCredentials, type TlsFiles } from './credentials.ts';
import type { CallContext, Client } from './service-definition.ts';
import { fromStatus, traceKey } from './status.ts';

/** The longest a call between services may take. */
const maxCallMs = 2_000;
/** Kept back from the caller's deadline, so that the caller still can answer. */
const marginMs = 50;

/** One channel to a service. `call` methods have the names of the RPCs; streams are opened through `grpc`. */
export type RpcClient<D> = { call: Client<D>; grpc: GrpcClient; close(): void };

const channelOptions = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  // A service that is back is used within this time. The few who call it ask it no more often than three times a second.
  'grpc.max_reconnect_backoff_ms': 300,
  'grpc.max_receive_message_length': 8 * 1024 * 1024,
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
};

/**
 * A client whose methods return promises, end within min(2 s, the caller's deadline) and reject with AppErrors.
 * @param address `host:port`; every address the name resolves to is used in turn.
 * @param serverName what the server's certificate is checked against when `address` is not a name.
 */
export function createClient<D extends object>(
  definition: D & ServiceDefinition,
  address: string,
  service: string,
  tls: TlsFiles | undefined,
  serverName?: string,
): RpcClient<D> {
  const named = tls && serverName !== undefined ? { 'grpc.ssl_target_name_override': serverName } : {};
  const grpc = new GrpcClient(address, channelCredentials(tls), { ...channelOptions, ...named });
  const methods: Record<string, (request: unknown, context: CallContext) => Promise<unknown>> = {};
  for (const [name, method] of Object.entries(definition as ServiceDefinition)) {
    if (method.requestStream || method.responseStream) continue;
    methods[name] = (request, context) =>
      new Promise((resolve, reject) => {
        const metadata = new Metadata();
        metadata.set(traceKey, context.traceId);
        const latest = Date.now() + maxCallMs;
        const deadline = Math.min(latest, context.deadline - marginMs);
        grpc.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          metadata,
          { deadline },
          (error: ServiceError | null, reply?: unknown) =>
            error ? reject(fromStatus(error, service)) : resolve(reply),
        );
      });
  }
  return { call: methods as Client<D>, grpc, close: () => grpc.close() };
}
