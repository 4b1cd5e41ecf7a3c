import { checkSessions, listDevices, putDevice } from '../sessions/devices.ts';
import { parseDevice } from '../sessions/device.ts';
import { deleteDevice, logout, logoutAll } from '../sessions/end-sessions.ts';
import type { AuthHandlers } from './auth-handlers.ts';
import type { AuthParts } from './parts.ts';
import { deviceReply } from './replies.ts';

type SessionHandlers = Pick<
  AuthHandlers,
  'Logout' | 'LogoutAll' | 'ListDevices' | 'PutDevice' | 'DeleteDevice' | 'CheckSessions'
>;

/** Sessions and the devices they are on. */
export const sessionHandlers = (parts: AuthParts): SessionHandlers => ({
  Logout: async ({ actorId, sessionId }, { deadline }) => ({
    deviceIds: await logout(parts, { actorId, sessionId }, deadline),
  }),
  LogoutAll: async ({ actorId }, { deadline }) => ({ deviceIds: await logoutAll(parts, actorId, deadline) }),
  ListDevices: async ({ actorId }, { deadline }) => ({
    devices: (await listDevices(parts, actorId, deadline)).map(deviceReply),
  }),
  PutDevice: async ({ actorId, device }, { deadline }) =>
    deviceReply(await putDevice(parts, { actorId, device: parseDevice(device) }, deadline)),
  DeleteDevice: async ({ actorId, deviceId }, { deadline }) => ({
    deviceIds: await deleteDevice(parts, { actorId, deviceId }, deadline),
  }),
  CheckSessions: async ({ devices }, { deadline }) => ({ live: await checkSessions(parts, devices, deadline) }),
});
