import type { PushServiceDefinition } from '@bluewave/protos/generated/bluewave/push/v1/PushService';
import type { RpcClient } from '@bluewave/rpc/client';
import { callerOf, context, type Person, type Platform, startPlatform } from './push-for-test.ts';
import { type PushProcess, startPushProcess } from './push-process.ts';
import { accept, type Arrival, type ScriptedFcm, startScriptedFcm } from './scripted-fcm.ts';
import { pause } from './until.ts';

/** Where the process is killed: when it asks a peer, or around the answer of the provider. */
export const killPoints = ['recipients', 'users', 'sessions', 'send received', 'send accepted'] as const;
export type KillPoint = (typeof killPoints)[number];

/** A push service in a process of its own, with peers and a provider that can have it killed. */
export type CrashScene = {
  fcm: ScriptedFcm;
  platform: Platform;
  push(): RpcClient<PushServiceDefinition>;
  register(person: Person): Promise<unknown>;
  /** What reached a token, answered or not. */
  to(token: string): Arrival[];
  /** Kills the process when it reaches the point for the nth time, `delayMs` after it. @returns resolves when it is dead. */
  killAt(point: KillPoint, nth: number, delayMs: number): Promise<void>;
  /** Kills the process if it still runs, and starts it anew: peers and provider do their work. */
  restart(): Promise<void>;
  close(): Promise<void>;
};

export async function startCrashScene(): Promise<CrashScene> {
  const fcm = await startScriptedFcm();
  const platform = await startPlatform({
    fcm: { projectId: 'test', credentialsFile: undefined, endpoint: fcm.endpoint },
  });
  let running: PushProcess | undefined;
  let client: RpcClient<PushServiceDefinition> | undefined;
  const push = (): RpcClient<PushServiceDefinition> => {
    if (!client) throw new Error('the push service does not run');
    return client;
  };
  const kill = async (): Promise<void> => {
    const victim = running;
    running = undefined;
    client?.close();
    client = undefined;
    await victim?.kill();
  };
  const restart = async (): Promise<void> => {
    await kill();
    platform.peers.before = () => undefined;
    fcm.answer = (_arrival, response) => accept(response);
    running = await startPushProcess(platform.config, { durable: platform.durable, from: 'next' });
    client = callerOf({ grpcPort: running.grpcPort, adminPort: 0, close: () => Promise.resolve() });
  };
  const killAt = (point: KillPoint, nth: number, delayMs: number): Promise<void> => {
    let left = nth;
    return new Promise((resolve, reject) => {
      const reached = async (here: KillPoint): Promise<void> => {
        if (here !== point || (left -= 1) !== 0) return;
        if (delayMs > 0) await pause(delayMs);
        kill().then(resolve, reject);
      };
      platform.peers.before = reached;
      fcm.answer = async (_arrival, response) => {
        await reached('send received');
        accept(response);
        await reached('send accepted');
      };
    });
  };
  await restart();
  await platform.consumerStands();
  return {
    fcm,
    platform,
    push,
    register: ({ userId, deviceId, token }) =>
      push().call.PutToken({ actorId: userId, deviceId, provider: 'fcm', token }, context()),
    to: (token) => fcm.arrivals.filter((arrival) => arrival.token === token),
    killAt,
    restart,
    close: async () => {
      await kill();
      await platform.close();
      await fcm.close();
    },
  };
}
