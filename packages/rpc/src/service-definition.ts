import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type MethodDefinition } from '@grpc/proto-loader';
import { conversionOptions, protoDirectory } from '@bluewave/protos/proto-files';

/**
 * The runtime definition of a service, e.g. `loadService<ChatServiceDefinition>('chat', 'ChatService')` reads
 * `proto/bluewave/chat/v1/chat.proto`. `D` is the generated definition type.
 */
export function loadService<D extends object>(area: string, service: string): D & ServiceDefinition {
  const loaded = loadSync(`bluewave/${area}/v1/${area}.proto`, {
    ...conversionOptions,
    includeDirs: [protoDirectory],
  });
  const definition = loaded[`bluewave.${area}.v1.${service}`];
  if (!definition || 'format' in definition) throw new Error(`No service ${service} in ${area}.proto`);
  return definition as unknown as D & ServiceDefinition;
}

/** What a handler knows besides its request. */
export type CallContext = {
  traceId: string;
  /** Milliseconds since the epoch; every call made on behalf of this one ends before it. */
  deadline: number;
};

/** The names of RPCs alone: generated definitions also have an index signature, which would let any name pass. */
type Named<K> = string extends K ? never : number extends K ? never : K;

/** The handlers of a service: complete requests in, complete replies out, so that no field is forgotten. */
export type Handlers<D> = {
  [K in keyof D as Named<K>]: D[K] extends MethodDefinition<infer _I, infer _O, infer Request, infer Reply>
    ? (request: Request, context: CallContext) => Promise<Reply>
    : never;
};

/** The same service as seen by a caller. */
export type Client<D> = {
  [K in keyof D as Named<K>]: D[K] extends MethodDefinition<infer _I, infer _O, infer Request, infer Reply>
    ? (request: Request, context: CallContext) => Promise<Reply>
    : never;
};
