import type { DeviceItem } from '@bluewave/api/objects';
import { notFound } from '@bluewave/errors/app-error';
import type { Device } from '@bluewave/protos/generated/bluewave/auth/v1/Device';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { Identity } from '../../identity/identity.ts';
import { presentTime } from '../../present/present-time.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';
import { forgetPushTokens } from './forget-push-tokens.ts';

type DeviceRoute =
  'devices.list' | 'devices.put' | 'devices.delete' | 'devices.putPushToken' | 'devices.deletePushToken';

export function deviceHandlers(deps: HttpDeps): HandlersOf<DeviceRoute> {
  const { auth, push } = deps.clients;
  return {
    async 'devices.list'({ caller, context }) {
      const [{ devices }, providers] = await Promise.all([
        auth.ListDevices({ actorId: caller.userId }, context),
        providersByDevice(deps, caller, context),
      ]);
      const items = devices.map((device) => presentDevice(device, caller, providers));
      return { status: 200, body: { items, nextCursor: null } };
    },
    async 'devices.put'({ params, body, caller, context }) {
      const { name, platform, appVersion = '' } = body;
      const device = { id: params.deviceId, name, platform, appVersion };
      const [saved, providers] = await Promise.all([
        auth.PutDevice({ actorId: caller.userId, device }, context),
        providersByDevice(deps, caller, context),
      ]);
      return { status: 200, body: presentDevice(saved, caller, providers) };
    },
    async 'devices.delete'({ params, caller, context }) {
      const request = { actorId: caller.userId, deviceId: params.deviceId };
      const { deviceIds } = await auth.DeleteDevice(request, context);
      await forgetPushTokens(deps, caller.userId, [...new Set([...deviceIds, params.deviceId])], context);
      return { status: 204, body: undefined };
    },
    async 'devices.putPushToken'({ params, body, caller, context }) {
      await demandOwnDevice(deps, caller, params.deviceId, context);
      const { provider, token } = body;
      await push.PutToken({ actorId: caller.userId, deviceId: params.deviceId, provider, token }, context);
      return { status: 204, body: undefined };
    },
    async 'devices.deletePushToken'({ params, caller, context }) {
      await demandOwnDevice(deps, caller, params.deviceId, context);
      await push.DeleteTokens({ actorId: caller.userId, deviceIds: [params.deviceId] }, context);
      return { status: 204, body: undefined };
    },
  };
}

/** Push provider by device; empty while push is away. */
async function providersByDevice(deps: HttpDeps, caller: Identity, context: CallContext): Promise<Map<string, string>> {
  try {
    const { tokens } = await deps.clients.push.ListTokens({ actorId: caller.userId }, context);
    return new Map(tokens.map((token) => [token.deviceId, token.provider]));
  } catch (error) {
    deps.log.warn({ err: error, traceId: context.traceId }, 'push tokens cannot be read');
    return new Map();
  }
}

async function demandOwnDevice(
  deps: HttpDeps,
  caller: Identity,
  deviceId: string,
  context: CallContext,
): Promise<void> {
  if (deviceId === caller.deviceId) return;
  const { devices } = await deps.clients.auth.ListDevices({ actorId: caller.userId }, context);
  if (!devices.some((device) => device.id === deviceId)) throw notFound();
}

function presentDevice(device: Device, caller: Identity, providers: Map<string, string>): DeviceItem {
  const provider = providers.get(device.id);
  return {
    id: device.id,
    name: device.name,
    platform: device.platform,
    ...(device.appVersion === '' ? {} : { appVersion: device.appVersion }),
    lastSeenAt: presentTime(device.lastSeenAtMs),
    current: device.id === caller.deviceId,
    push: provider === undefined ? null : { provider },
  };
}
