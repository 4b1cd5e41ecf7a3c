import { requestCode } from '../codes/request-code.ts';
import { verifyCode } from '../codes/verify-code.ts';
import { login } from '../credentials/login.ts';
import { register } from '../credentials/register.ts';
import { parseDevice } from '../sessions/device.ts';
import { refreshSession } from '../sessions/refresh-session.ts';
import type { AuthHandlers } from './auth-handlers.ts';
import type { AuthParts } from './parts.ts';
import { sessionReply } from './replies.ts';

type LoginHandlers = Pick<AuthHandlers, 'Register' | 'Login' | 'RequestCode' | 'VerifyCode' | 'Refresh'>;

/** The ways to a session. */
export const loginHandlers = (parts: AuthParts): LoginHandlers => ({
  Register: async ({ email, username, password, displayName, phone, device, ip }, { deadline }) => {
    const request = { email, username, password, displayName, phone, device: parseDevice(device), ip };
    return sessionReply(await register(parts, request, deadline));
  },
  Login: async ({ identifier, password, device, ip }, { deadline }) =>
    sessionReply(await login(parts, { identifier, password, device: parseDevice(device), ip }, deadline)),
  RequestCode: async ({ identifier, ip }, { deadline }) => ({
    code: await requestCode(parts.requestCode, { identifier, ip }, deadline),
  }),
  VerifyCode: async ({ identifier, code, device, ip }, { deadline }) =>
    sessionReply(await verifyCode(parts.verifyCode, { identifier, code, device: parseDevice(device), ip }, deadline)),
  Refresh: async ({ refreshToken }, { deadline }) => ({
    ...sessionReply(await refreshSession(parts.refresh, refreshToken, deadline)),
    // Who refreshes knows who it is.
    user: null,
  }),
});
