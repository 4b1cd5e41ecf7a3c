import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PushServiceDefinition } from '@bluewave/protos/generated/bluewave/push/v1/PushService';
import type { RpcClient } from '@bluewave/rpc/client';
import { storeUuid } from '@bluewave/mongo/uuid';
import { inboxOf, setFault } from './support/fcm-inbox.ts';
import { callerOf, context, person, type Platform, startPlatform } from './support/push-for-test.ts';
import { atLast } from './support/until.ts';

describe('push tokens', () => {
  let platform: Platform;
  let push: RpcClient<PushServiceDefinition>;

  const put = (userId: string, deviceId: string, token: string, provider = 'fcm') =>
    push.call.PutToken({ actorId: userId, deviceId, provider, token }, context());
  const devicesOf = async (userId: string) =>
    (await push.call.ListTokens({ actorId: userId }, context())).tokens.map(({ deviceId }) => deviceId);

  beforeAll(async () => {
    platform = await startPlatform();
    push = callerOf(await platform.start());
  });
  afterAll(async () => {
    push.close();
    await platform.close();
  });

  it('given a device, when it puts a token twice and then another, then it has one token, the last', async () => {
    const { userId, deviceId, token } = person();
    await put(userId, deviceId, token);
    await put(userId, deviceId, token);
    await put(userId, deviceId, `${token}-next`, 'webpush');
    expect((await push.call.ListTokens({ actorId: userId }, context())).tokens).toEqual([
      { deviceId, provider: 'webpush' },
    ]);
    expect(await platform.stored.tokens.countDocuments({ token })).toBe(0);
  });

  it('given a phone that changed hands, when the new owner puts its token, then the old one has it no more', async () => {
    const [old, next] = [person(), person()];
    await put(old.userId, old.deviceId, old.token);
    await put(next.userId, next.deviceId, old.token);
    expect(await devicesOf(old.userId)).toEqual([]);
    expect(await devicesOf(next.userId)).toEqual([next.deviceId]);
  });

  it('given many devices that claim one token at once, when all are answered, then exactly one has it', async () => {
    const people = Array.from({ length: 8 }, person);
    const token = `token-${randomUUID()}`;
    // Who is told that too many claim it at once claims it again.
    await Promise.all(people.map(({ userId, deviceId }) => atLast(() => put(userId, deviceId, token))));
    expect(await platform.stored.tokens.countDocuments({ token })).toBe(1);
  });

  it('given several devices, when some are deleted, then the rest stays, and deleting again is fine', async () => {
    const { userId } = person();
    const devices = [randomUUID(), randomUUID(), randomUUID()];
    for (const deviceId of devices) await put(userId, deviceId, `token-${deviceId}`);
    const deviceIds = devices.slice(0, 2);
    await push.call.DeleteTokens({ actorId: userId, deviceIds }, context());
    await push.call.DeleteTokens({ actorId: userId, deviceIds }, context());
    await push.call.DeleteTokens({ actorId: userId, deviceIds: [] }, context());
    expect(await devicesOf(userId)).toEqual(devices.slice(2));
  });

  it('given the device id of somebody else, when its tokens are deleted, then only the own binding goes', async () => {
    const [owner, stranger] = [person(), person()];
    await put(owner.userId, owner.deviceId, owner.token);
    await put(stranger.userId, owner.deviceId, stranger.token);
    await push.call.DeleteTokens({ actorId: stranger.userId, deviceIds: [owner.deviceId] }, context());
    expect(await devicesOf(owner.userId)).toEqual([owner.deviceId]);
    expect(await devicesOf(stranger.userId)).toEqual([]);
  });

  it.each([
    ['no UUID as actor', { actorId: 'me', deviceId: randomUUID(), provider: 'fcm', token: 't' }, 'actorId'],
    [
      'an operator as device',
      { actorId: randomUUID(), deviceId: '{"$ne":1}', provider: 'fcm', token: 't' },
      'deviceId',
    ],
    ['another provider', { actorId: randomUUID(), deviceId: randomUUID(), provider: 'apns', token: 't' }, 'provider'],
    ['an empty token', { actorId: randomUUID(), deviceId: randomUUID(), provider: 'fcm', token: '' }, 'token'],
    [
      'a long token',
      { actorId: randomUUID(), deviceId: randomUUID(), provider: 'fcm', token: 'x'.repeat(4097) },
      'token',
    ],
  ])('given %s, when it is put, then it is refused by field', async (_what, request, path) => {
    await expect(push.call.PutToken(request, context())).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      fields: [{ path }],
    });
  });

  it('given three devices, one dead and one logged out, when a test is sent, then one is reached and the dead are gone', async () => {
    const { userId } = person();
    const [fine, dead, out] = [randomUUID(), randomUUID(), randomUUID()];
    for (const deviceId of [fine, dead, out]) await put(userId, deviceId, `token-${deviceId}`);
    await setFault(`token-${dead}`, 'UNREGISTERED');
    platform.peers.ended.add(`${userId}/${out}`);
    expect(await push.call.SendTest({ actorId: userId }, context())).toEqual({ accepted: 1 });
    expect(await inboxOf(`token-${fine}`)).toMatchObject([
      { message: { notification: { title: 'Test notification' } } },
    ]);
    expect(await inboxOf(`token-${out}`)).toEqual([]);
    expect(await devicesOf(userId)).toEqual([fine]);
  });

  it('given the look-ups of the hot path, when they are explained, then each uses its index', async () => {
    const u = storeUuid(randomUUID());
    const { tokens, deliveries } = platform.stored;
    const plan = JSON.stringify([
      await tokens.find({ '_id.u': { $in: [u] } }).explain('queryPlanner'),
      await tokens.find({ token: 'x', _id: { $ne: { u, d: u } } }).explain('queryPlanner'),
      await deliveries
        .find({
          $and: [
            { $or: [{ '_id.u': u, '_id.d': u, state: 'sending' }] },
            { state: 'sending', $expr: { $gt: ['$until', '$$NOW'] } },
          ],
        })
        .explain('queryPlanner'),
    ]);
    expect(plan).not.toContain('COLLSCAN');
    for (const index of ['"user"', '"token"', '"sending"']) expect(plan).toContain(`"indexName":${index}`);
  });
});
