import type { ServiceDefinition } from '@grpc/grpc-js';
import { createClient } from '@bluewave/rpc/client';
import type { TlsFiles } from '@bluewave/rpc/credentials';
import type { Client } from '@bluewave/rpc/service-definition';

/** Clients of one service behind one or several addresses, used in turn. */
export type Replicas<D> = { next(): Client<D>; close(): void };

/** @param addresses `host:port`, or several separated by commas. */
export function createReplicas<D extends object>(
  definition: D & ServiceDefinition,
  addresses: string,
  service: string,
  tls: TlsFiles | undefined,
): Replicas<D> {
  const clients = addresses.split(',').map((address) => createClient(definition, address.trim(), service, tls));
  let turn = 0;
  return {
    next: () => {
      const client = clients[turn++ % clients.length];
      if (!client) throw new Error(`no address of the ${service} service`);
      return client.call;
    },
    close: () => clients.forEach((client) => client.close()),
  };
}
