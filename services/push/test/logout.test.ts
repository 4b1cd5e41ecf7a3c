import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { PushServiceDefinition } from '@bluewave/protos/generated/bluewave/push/v1/PushService';
import type { RpcClient } from '@bluewave/rpc/client';
import { callerOf, context, conversationOf, person, type Platform, startPlatform } from './support/push-for-test.ts';
import type { DeviceKey } from '../src/tokens/device-token.ts';
import { accept, refuse, type ScriptedFcm, startScriptedFcm } from './support/scripted-fcm.ts';
import { atLast, pause, until } from './support/until.ts';

describe('a logout while notifications are sent', () => {
  let fcm: ScriptedFcm;
  let platform: Platform;
  /** Two replicas that share stores and work. */
  let replicas: RpcClient<PushServiceDefinition>[];

  const register = ({ userId: actorId, deviceId, token }: DeviceKey & { token: string }) =>
    atLast(async () => replicas[0]?.call.PutToken({ actorId, deviceId, provider: 'fcm', token }, context()));
  const to = (token: string) => fcm.arrivals.filter((arrival) => arrival.token === token);
  const logOut = async ({ userId, deviceId }: DeviceKey, replica: number, ends = true): Promise<number> => {
    if (ends) platform.peers.ended.add(`${userId}/${deviceId}`);
    await replicas[replica]?.call.DeleteTokens({ actorId: userId, deviceIds: [deviceId] }, context());
    return fcm.moment();
  };
  /** What left after a moment. What left this process before it may arrive later: no clock tells the two apart. */
  const leftAfter = (moment: number, token: string) => {
    expect(to(token).map(({ left }) => left)).not.toContain(undefined);
    return to(token).filter(({ left = 0 }) => left > moment);
  };

  beforeAll(async () => {
    fcm = await startScriptedFcm();
    const provider = { projectId: 'test', credentialsFile: undefined, endpoint: fcm.endpoint };
    // Nothing answers at this Redis: presence is unknown, so everybody counts as not connected.
    platform = await startPlatform({ fcm: provider, redisUrl: 'redis://127.0.0.1:1' });
    replicas = [callerOf(await platform.start()), callerOf(await platform.start())];
  });
  beforeEach(() => {
    fcm.answer = (_arrival, response) => accept(response);
    platform.peers.before = () => undefined;
  });
  afterAll(async () => {
    for (const replica of replicas) replica.close();
    await platform.close();
    await fcm.close();
  });

  it.each([0, 1])(
    'given a send that takes 300 ms, when the device logs out at replica %i, then the answer comes after the send',
    async (replica) => {
      const [alice, bob] = [person(), person()];
      await register(bob);
      const conversationId = conversationOf(platform, [alice, bob]);
      let answeredAt = 0;
      fcm.answer = async (_arrival, response) => {
        await pause(300);
        answeredAt = fcm.moment();
        accept(response);
      };
      await platform.publish({ conversationId, senderId: alice.userId });
      await until('the send', async () => to(bob.token).length === 1);
      const acknowledgedAt = await logOut(bob, replica);
      expect(answeredAt).toBeGreaterThan(0);
      expect(acknowledgedAt).toBeGreaterThan(answeredAt);
      await platform.publish({ conversationId, senderId: alice.userId });
      await pause(500);
      expect(to(bob.token)).toHaveLength(1);
    },
  );

  it.each([0, 1])(
    'given a provider that hangs, when the device logs out at replica %i, then it is answered in time and nothing follows',
    async (replica) => {
      const [alice, bob] = [person(), person()];
      await register(bob);
      const conversationId = conversationOf(platform, [alice, bob]);
      fcm.answer = () => undefined;
      await platform.publish({ conversationId, senderId: alice.userId });
      await until('the send', async () => to(bob.token).length === 1);
      const started = performance.now();
      const acknowledgedAt = await logOut(bob, replica);
      expect(performance.now() - started).toBeLessThan(1_500);
      fcm.answer = (_arrival, response) => accept(response);
      await platform.publish({ conversationId, senderId: alice.userId });
      await pause(2_500);
      expect(leftAfter(acknowledgedAt, bob.token)).toEqual([]);
    },
  );

  it('given a phone that changes hands during a send, when the new owner puts its token, then the send ended before', async () => {
    const [alice, bob, cem] = [person(), person(), person()];
    await register(bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    let answeredAt = 0;
    fcm.answer = async (_arrival, response) => {
      await pause(250);
      answeredAt = fcm.moment();
      accept(response);
    };
    await platform.publish({ conversationId, senderId: alice.userId });
    await until('the send', async () => to(bob.token).length === 1);
    await register({ ...cem, token: bob.token });
    const boundAt = fcm.moment();
    expect(answeredAt).toBeGreaterThan(0);
    expect(boundAt).toBeGreaterThan(answeredAt);
    await platform.publish({ conversationId, senderId: alice.userId });
    await pause(300);
    expect(to(bob.token)).toHaveLength(1);
  });

  it('given a provider that asks for a pause, when it is over, then the send is tried again, and not before', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    fcm.answer = (_arrival, response) =>
      to(bob.token).length === 1 ? refuse(response, 429, 'QUOTA_EXCEEDED', { 'retry-after': '3' }) : accept(response);
    await platform.publish({ conversationId, senderId: alice.userId });
    await until('the second attempt', async () => to(bob.token).length === 2);
    const [first, second] = to(bob.token);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(2_900);
  });

  it('given a message that the provider will never take, when it was refused, then it is not tried again', async () => {
    const [alice, bob] = [person(), person()];
    await register(bob);
    const conversationId = conversationOf(platform, [alice, bob]);
    fcm.answer = (_arrival, response) => refuse(response, 400, 'INVALID_ARGUMENT');
    await platform.publish({ conversationId, senderId: alice.userId });
    await until('the send', async () => to(bob.token).length === 1);
    await pause(1_500);
    expect(to(bob.token)).toHaveLength(1);
    expect((await replicas[0]?.call.ListTokens({ actorId: bob.userId }, context()))?.tokens).toHaveLength(1);
  });

  it.each([
    ['logouts', true],
    // Nothing but the wait for sends under way keeps these.
    ['tokens deleted in sessions that go on', false],
  ])(
    'given %s at any moment of many sends, when they are acknowledged, then nothing leaves after',
    async (_what, ends) => {
      const alice = person();
      const others = Array.from({ length: 8 }, person);
      for (const other of others) await register(other);
      const conversationId = conversationOf(platform, [alice, ...others], { type: 'group', name: 'All' });
      fcm.answer = async (_arrival, response) => {
        await pause(Math.random() * 200);
        if (Math.random() < 0.2) refuse(response, 503, 'UNAVAILABLE');
        else accept(response);
      };
      // Many sends have found their token and not begun yet.
      platform.peers.before = () => pause(100 + Math.random() * 350);
      const publishing = (async () => {
        for (let i = 0; i < 12; i++) {
          await platform.publish({ conversationId, senderId: alice.userId, text: randomUUID() });
          await pause(120);
        }
      })();
      const acknowledged = await Promise.all(
        others.map(async (other, index) => {
          await until('a first send', async () => to(other.token).length > 0, 90_000);
          await pause(Math.random() * 200);
          return atLast(() => logOut(other, index % 2, ends));
        }),
      );
      await publishing;
      await pause(2_500);
      others.forEach((other, index) => {
        expect(leftAfter(acknowledged[index] ?? 0, other.token)).toEqual([]);
      });
    },
    150_000,
  );
});
