import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CrashScene, type KillPoint, killPoints, startCrashScene } from './support/crash-scene.ts';
import { context, conversationOf, person, type Person } from './support/push-for-test.ts';
import { pause, until } from './support/until.ts';

type Plan = { point: KillPoint; nth: number; delayMs: number; others: number };

const plans = fc.record({
  nth: fc.integer({ min: 1, max: 4 }),
  delayMs: fc.integer({ min: 0, max: 6 }),
  others: fc.integer({ min: 1, max: 3 }),
});

/** Sends four messages to a group, kills at the plan's point, restarts. @returns how often each phone got each one. */
async function playOut(scene: CrashScene, { point, nth, delayMs, others }: Plan): Promise<number[]> {
  const [sender, ...receivers] = Array.from({ length: others + 1 }, person) as [Person, ...Person[]];
  for (const receiver of receivers) await scene.register(receiver);
  const conversationId = conversationOf(scene.platform, [sender, ...receivers], { type: 'group', name: 'Crew' });
  const dead = scene.killAt(point, nth, delayMs);
  const sent: string[] = [];
  for (let i = 0; i < 4; i++) {
    const { seq } = await scene.platform.publish({ conversationId, senderId: sender.userId });
    sent.push(`${conversationId}:${seq}`);
  }
  // A point may be reached less often than planned: then the kill comes when all is done.
  await Promise.race([dead, pause(2_000)]);
  await scene.restart();
  const counts = () =>
    receivers.flatMap(({ token }) =>
      sent.map((messageId) => scene.to(token).filter((arrival) => arrival.messageId === messageId).length),
    );
  await until('every notification', async () => counts().every((count) => count > 0), 30_000);
  await pause(500);
  return counts();
}

describe('a push service that is killed', () => {
  let scene: CrashScene;

  beforeAll(async () => {
    scene = await startCrashScene();
  }, 30_000);
  afterAll(() => scene.close());

  it('given a kill at every kind of point, when it runs again, then each phone got each message, at most twice', async () => {
    const sampled = fc.sample(plans, killPoints.length);
    // All stand before anything plays: a machine that still starts processes keeps callers waiting beyond their deadline.
    const own = await Promise.all(killPoints.map(() => startCrashScene()));
    try {
      const played = own.map(async (stage, index) => {
        const plan = { point: killPoints[index] ?? 'users', nth: 1, delayMs: 0, others: 1, ...sampled[index] };
        return { plan, counts: await playOut(stage, plan) };
      });
      for (const { plan, counts } of await Promise.all(played)) {
        expect({ plan, once: counts.every((count) => count >= 1 && count <= 2) }).toEqual({ plan, once: true });
      }
    } finally {
      await Promise.all(own.map((stage) => stage.close()));
    }
  }, 90_000);

  it('given a kill during a send, when the device logs out after the restart, then nothing reaches it after the answer', async () => {
    const [alice, bob, cem] = [person(), person(), person()];
    await scene.register(bob);
    await scene.register(cem);
    const conversationId = conversationOf(scene.platform, [alice, bob, cem]);
    const dead = scene.killAt('send received', 1, 0);
    await scene.platform.publish({ conversationId, senderId: alice.userId });
    await dead;
    await scene.restart();
    scene.platform.peers.ended.add(`${bob.userId}/${bob.deviceId}`);
    // The dead process' claim runs out within 1.5 s: the logout may have to be repeated once.
    const request = { actorId: bob.userId, deviceIds: [bob.deviceId] };
    const acknowledgedAt = await until('the logout', () =>
      scene
        .push()
        .call.DeleteTokens(request, context())
        .then(
          () => Date.now(),
          () => undefined,
        ),
    );
    await until('the other one', async () => scene.to(cem.token).length > 0, 30_000);
    await pause(500);
    expect(scene.to(bob.token).filter(({ at }) => at > acknowledgedAt)).toEqual([]);
  }, 60_000);

  it('given a kill while a connected device is waited for, when 5 s have passed, then it is pushed all the same', async () => {
    const [alice, bob] = [person(), person()];
    await scene.register(bob);
    const boot = `boot-${bob.userId}`;
    await scene.platform.presence.renew(boot);
    await scene.platform.presence.connect(boot, { userId: bob.userId, deviceId: bob.deviceId, socketId: 's1' });
    const conversationId = conversationOf(scene.platform, [alice, bob]);
    const { atMs } = await scene.platform.publish({ conversationId, senderId: alice.userId });
    await pause(1_000);
    expect(scene.to(bob.token)).toEqual([]);
    await scene.restart();
    await until('the notification', async () => scene.to(bob.token).length === 1, 20_000);
    expect((scene.to(bob.token)[0]?.at ?? 0) - atMs).toBeGreaterThanOrEqual(4_900);
    await scene.platform.presence.release(boot);
  }, 40_000);
});
