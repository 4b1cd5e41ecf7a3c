import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@bluewave/runtime/logger';
import { createFcmProvider, type FcmProvider } from '../src/fcm/fcm-provider.ts';
import { claimMs, type DeliveryStore } from '../src/notifications/delivery-store.ts';
import { heldSend } from '../src/notifications/held-send.ts';
import { createMongoDeliveryStore } from '../src/storage/mongo-delivery-store.ts';
import { createMongoTokenStore } from '../src/storage/mongo-token-store.ts';
import type { TokenStore } from '../src/tokens/token-store.ts';
import { person, type Platform, startPlatform } from './support/push-for-test.ts';
import { type ScriptedFcm, startScriptedFcm } from './support/scripted-fcm.ts';
import { pause } from './support/until.ts';

describe('a send that is held by a claim', () => {
  let platform: Platform;
  let fcm: ScriptedFcm;
  let provider: FcmProvider;
  let tokens: TokenStore;
  let deliveries: DeliveryStore;

  beforeAll(async () => {
    platform = await startPlatform();
    fcm = await startScriptedFcm();
    const options = { projectId: 'test', credentialsFile: undefined, endpoint: fcm.endpoint };
    provider = createFcmProvider({ ...options, now: Date.now });
    tokens = createMongoTokenStore(platform.stored, Date.now);
    deliveries = createMongoDeliveryStore(platform.stored);
  });
  afterAll(async () => {
    await provider.close();
    await fcm.close();
    await platform.close();
  });

  it.each([
    ['nearly as long as the claim lasts', claimMs - 200],
    ['longer than the claim lasts', claimMs + 100],
  ])(
    'given a database that takes %s to answer a renewal, when a send is to begin, then nothing leaves',
    async (_what, ms) => {
      const bob = person();
      await tokens.bind(bob, 'fcm', bob.token);
      const claim = await deliveries.claim({ ...bob, conversationId: randomUUID(), seq: 1 });
      const target = await tokens.find(bob);
      if (!claim || !target) throw new Error('nothing to send');
      const renew: DeliveryStore['renew'] = async (held) => {
        const renewed = await deliveries.renew(held);
        await pause(ms);
        return renewed;
      };
      const parts = { tokens, deliveries: { ...deliveries, renew }, provider, log: createLogger('push', 'silent') };
      const message = { title: 'Alice', body: 'hello', collapseId: 'c:1', data: {} };
      // So much of the claim is gone that it has to be renewed first.
      await pause(claimMs / 2);
      const sent = heldSend(parts, claim, target, message);
      await expect(sent).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      await pause(100);
      expect(fcm.arrivals).toEqual([]);
    },
  );
});
