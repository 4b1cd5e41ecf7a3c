import { ConfigError } from '@bluewave/runtime/config';
import type { Connection } from 'mongoose';
import { deviceModel } from './device-model.ts';
import { identityModel } from './identity-model.ts';
import { sessionModel } from './session-model.ts';
import { signingKeyModel } from './signing-key-model.ts';
import { userModel } from './user-model.ts';

export type Models = ReturnType<typeof createModels>;

/** The collections of this service on a connection. */
export function createModels(connection: Connection) {
  return {
    users: userModel(connection),
    identities: identityModel(connection),
    sessions: sessionModel(connection),
    devices: deviceModel(connection),
    signingKeys: signingKeyModel(connection),
  };
}

/**
 * Makes the indexes that are missing. Idempotent, and harmless when many replicas start at once: the server makes
 * an index once. @throws ConfigError when an index of the same name but another shape stands in the way.
 */
export async function ensureIndexes(models: Models): Promise<void> {
  try {
    await Promise.all([models.users.createIndexes(), models.sessions.createIndexes(), models.devices.createIndexes()]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`The indexes of the auth database cannot be made: ${reason}`, { cause: error });
  }
}
