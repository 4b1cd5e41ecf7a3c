import { readFileSync } from 'node:fs';
import { ConfigError } from '@bluewave/runtime/config';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

/** PEM files for mutual TLS between services; without them services talk in clear text. */
export type TlsFiles = { caFile: string; certFile: string; keyFile: string };

/** TLS files from the common environment. @throws ConfigError unless all three are given or none: half would be none. */
export function tlsFilesOf(environment: {
  GRPC_TLS_CA_FILE?: string | undefined;
  GRPC_TLS_CERT_FILE?: string | undefined;
  GRPC_TLS_KEY_FILE?: string | undefined;
}): TlsFiles | undefined {
  const { GRPC_TLS_CA_FILE: caFile, GRPC_TLS_CERT_FILE: certFile, GRPC_TLS_KEY_FILE: keyFile } = environment;
  if (caFile && certFile && keyFile) return { caFile, certFile, keyFile };
  if (!caFile && !certFile && !keyFile) return undefined;
  throw new ConfigError(
    'GRPC_TLS_CA_FILE, GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE belong together: set all three, or none for clear text.',
  );
}

function readPem(variable: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`${variable} cannot be read: ${reason}`, { cause: error });
  }
}

const readAll = ({ caFile, certFile, keyFile }: TlsFiles) => ({
  ca: readPem('GRPC_TLS_CA_FILE', caFile),
  cert: readPem('GRPC_TLS_CERT_FILE', certFile),
  key: readPem('GRPC_TLS_KEY_FILE', keyFile),
});

export function serverCredentials(tls: TlsFiles | undefined): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const { ca, cert, key } = readAll(tls);
  return ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], true);
}

export function channelCredentials(tls: TlsFiles | undefined): ChannelCredentials {
  if (!tls) return ChannelCredentials.createInsecure();
  const { ca, cert, key } = readAll(tls);
  return ChannelCredentials.createSsl(ca, key, cert);
}
