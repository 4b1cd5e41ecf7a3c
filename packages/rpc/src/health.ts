import type {
  sendUnaryData,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { conversionOptions, protoDirectory } from '@bluewave/protos/proto-files';

/** grpc.health.v1.Health, what Kubernetes' grpc probes ask. */
export function healthService(): ServiceDefinition {
  const loaded = loadSync('grpc/health/v1/health.proto', { ...conversionOptions, includeDirs: [protoDirectory] });
  return loaded['grpc.health.v1.Health'] as unknown as ServiceDefinition;
}

/** SERVING until the server begins to close. `Watch` reports the state once; pollers use `Check`. */
export function healthImplementation(isServing: () => boolean): UntypedServiceImplementation {
  const state = () => ({ status: isServing() ? 'SERVING' : 'NOT_SERVING' });
  return {
    Check: (_call: unknown, respond: sendUnaryData<unknown>) => respond(null, state()),
    Watch: (call: ServerWritableStream<unknown, unknown>) => {
      call.write(state());
    },
  };
}
