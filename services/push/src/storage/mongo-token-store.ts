import { isDuplicateKey } from '@bluewave/mongo/mongo-failure';
import { readUuid, storeUuid } from '@bluewave/mongo/uuid';
import { newId } from '@bluewave/runtime/ids';
import type { DeviceKey, DeviceToken } from '../tokens/device-token.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import { read, run, write } from './operation.ts';
import type { PushCollections, TokenDocument } from './push-collections.ts';

/** Users of one query. */
const chunkSize = 500;

const idOf = ({ userId, deviceId }: DeviceKey): TokenDocument['_id'] => ({
  u: storeUuid(userId),
  d: storeUuid(deviceId),
});

const deviceOf = ({ _id }: Pick<TokenDocument, '_id'>): DeviceKey => ({
  userId: readUuid(_id.u),
  deviceId: readUuid(_id.d),
});

const tokenOf = (document: TokenDocument): DeviceToken => ({
  ...deviceOf(document),
  provider: document.provider,
  token: document.token,
  version: readUuid(document.version),
});

/** Push tokens in MongoDB; the unique index on the token decides every race. @param now milliseconds since the epoch. */
export function createMongoTokenStore({ tokens }: PushCollections, now: () => number): TokenStore {
  return {
    any: async () => (await run(tokens.findOne({}, { ...read, projection: { _id: 1 } }))) !== null,

    find: async (device) => {
      const found = await run(tokens.findOne({ _id: idOf(device) }, read));
      return found ? tokenOf(found) : undefined;
    },

    ofUsers: async (userIds) => {
      const found: DeviceToken[] = [];
      for (let start = 0; start < userIds.length; start += chunkSize) {
        const users = userIds.slice(start, start + chunkSize).map(storeUuid);
        const page = await run(tokens.find({ '_id.u': { $in: users } }, read).toArray());
        found.push(...page.map(tokenOf));
      }
      return found;
    },

    takeFromOthers: async (token, device) => {
      const taken = await run(tokens.findOneAndDelete({ token, _id: { $ne: idOf(device) } }, write));
      return taken ? [deviceOf(taken)] : [];
    },

    bind: async (device, provider, token) => {
      const bound = { provider, token, version: storeUuid(newId()), boundAt: new Date(now()) };
      try {
        await run(tokens.updateOne({ _id: idOf(device) }, { $set: bound }, { ...write, upsert: true }));
        return true;
      } catch (error) {
        // Somebody else holds the token, or made this device's document first.
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },

    remove: async (userId, deviceIds) => {
      const ids = deviceIds.map((deviceId) => idOf({ userId, deviceId }));
      await run(tokens.deleteMany({ _id: { $in: ids } }, write));
    },

    removeBinding: async ({ version, ...device }) => {
      const filter = { _id: idOf(device), version: storeUuid(version) };
      return (await run(tokens.deleteOne(filter, write))).deletedCount === 1;
    },
  };
}
