import { ConfigError, NotYetError } from '@bluewave/runtime/config';
import mongoose from 'mongoose';

const probeMs = 1_000;
/** Wrong user or password: a server's own code, and that of MongoDB Atlas. */
const refusedCodes = new Set([18, 8_000]);

/**
 * Why the first connection failed and what to do, in one line that holds no password; a NotYetError for what may pass
 * by itself. Asks the first server of the URL
 * what it is when the driver only knows that it found no primary.
 */
export async function explainConnectFailure(url: string, error: unknown): Promise<ConfigError> {
  const reason = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
  const { name, code } = (error ?? {}) as { name?: string; code?: unknown };
  if (name === 'MongoParseError' || name === 'MongoAPIError') {
    return new ConfigError(`MONGODB_URL cannot be used: ${reason}`, { cause: error });
  }
  if (typeof code === 'number' && refusedCodes.has(code)) {
    // A cluster that is being set up gets its users last.
    const says = `MongoDB refuses the user or the password in MONGODB_URL (${reason}): check them, and authSource.`;
    return new NotYetError(says, { cause: error });
  }
  const found = someAnswered(error) ? await probe(url) : undefined;
  if (found) return new (found.mayPass ? NotYetError : ConfigError)(found.says, { cause: error });
  return new NotYetError(`MongoDB does not answer at MONGODB_URL: ${reason}. ${adviceOn(reason)}`, { cause: error });
}

/** Whether the driver met a server at all: the ones that are of no use to it are no longer among those it knows. */
function someAnswered(error: unknown): boolean {
  const { reason } = (error ?? {}) as { reason?: { servers?: Map<string, { error?: unknown }> } };
  const servers = [...(reason?.servers?.values() ?? [])];
  return servers.length === 0 || servers.some((server) => !server.error);
}

function adviceOn(reason: string): string {
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return 'Check the host name.';
  if (/certificate|TLS|SSL/i.test(reason)) return 'Check tls=true, and tlsCAFile for a CA of your own.';
  return 'Check host and port, that the server runs, and that firewall and network policy let it be reached.';
}

type Misfit = { says: string; mayPass: boolean };

/** What the first server of the URL says about itself, when that is what is wrong. */
async function probe(url: string): Promise<Misfit | undefined> {
  const host = /^mongodb:\/\/(?:[^@/]*@)?([^/?,]+)/.exec(url)?.[1];
  if (host === undefined) return undefined;
  const options = { directConnection: true, serverSelectionTimeoutMS: probeMs, connectTimeoutMS: probeMs };
  const tls = /[?&](tls|ssl)=true/.test(url) ? '?tls=true&tlsInsecure=true' : '';
  const client = new mongoose.mongo.MongoClient(`mongodb://${host}/${tls}`, options);
  try {
    const hello = await client.db('admin').command({ hello: 1 }, { timeoutMS: probeMs });
    return misfit(url, hello);
  } catch {
    // It does not answer: that is said already.
    return undefined;
  } finally {
    await client.close();
  }
}

/** @param hello what a server answers to `hello`, without logging in */
function misfit(url: string, hello: mongoose.mongo.Document): Misfit | undefined {
  if (hello['msg'] === 'isdbgrid') return undefined;
  const wanted = /[?&]replicaSet=([^&]+)/.exec(url)?.[1];
  const own: unknown = hello['setName'];
  if (typeof own === 'string') {
    if (wanted === undefined || wanted === own) return withoutPrimary(own, hello);
    const says = `MONGODB_URL says replicaSet=${wanted}, and that server's set is called ${own}: correct the URL.`;
    return { says, mayPass: false };
  }
  return hello['isreplicaset'] === true ? uninitiated : { says: standalone, mayPass: false };
}

function withoutPrimary(set: string, { isWritablePrimary, primary }: mongoose.mongo.Document): Misfit {
  const says =
    isWritablePrimary === true || typeof primary === 'string'
      ? `MongoDB answers, but its primary ${String(primary ?? '')} cannot be reached from here: the names of its ` +
        'members (rs.conf().members[].host) have to resolve where the services run.'
      : `The replica set ${set} at MONGODB_URL has no primary: start a majority of its members (rs.status()).`;
  return { says, mayPass: true };
}

const uninitiated: Misfit = {
  says: 'The replica set at MONGODB_URL was never initiated: run rs.initiate() on one member.',
  mayPass: true,
};
export const standalone = 'MONGODB_URL names a standalone server: start mongod with --replSet and run rs.initiate().';
