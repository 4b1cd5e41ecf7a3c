import type { Session } from '@bluewave/api/objects';
import type { device } from '@bluewave/api/fields';
import type { DeviceInfo } from '@bluewave/protos/generated/bluewave/auth/v1/DeviceInfo';
import type { SessionReply } from '@bluewave/protos/generated/bluewave/auth/v1/SessionReply';
import type { z } from 'zod';
import { presentMe } from '../../present/present-user.ts';
import type { HandlersOf, HttpDeps } from '../handler.ts';
import { forgetPushTokens } from './forget-push-tokens.ts';
import { ownPresence } from './presence-of.ts';

type AuthRoute =
  | 'auth.register'
  | 'auth.login'
  | 'auth.requestCode'
  | 'auth.verifyCode'
  | 'auth.refresh'
  | 'auth.logout'
  | 'auth.logoutAll'
  | 'auth.me';

export function authHandlers(deps: HttpDeps): HandlersOf<AuthRoute> {
  const { auth } = deps.clients;
  return {
    async 'auth.register'({ body, ip, context }) {
      const { email, username, password, displayName = '', phone = '' } = body;
      const account = { email, username, password, displayName, phone };
      const reply = await auth.Register({ ...account, device: deviceInfo(body.device), ip }, context);
      return { status: 201, body: presentSession(reply) };
    },
    async 'auth.login'({ body, ip, context }) {
      const { identifier, password } = body;
      const reply = await auth.Login({ identifier, password, device: deviceInfo(body.device), ip }, context);
      return { status: 200, body: presentSession(reply) };
    },
    async 'auth.requestCode'({ body, ip, context }) {
      const { code } = await auth.RequestCode({ identifier: body.identifier, ip }, context);
      return { status: 202, body: code === '' ? {} : { code } };
    },
    async 'auth.verifyCode'({ body, ip, context }) {
      const { identifier, code } = body;
      const reply = await auth.VerifyCode({ identifier, code, device: deviceInfo(body.device), ip }, context);
      return { status: 200, body: presentSession(reply) };
    },
    async 'auth.refresh'({ body, ip, context }) {
      const reply = await auth.Refresh({ refreshToken: body.refreshToken, ip }, context);
      return { status: 200, body: presentTokens(reply) };
    },
    async 'auth.logout'({ caller, context }) {
      const { userId, sessionId } = caller;
      const { deviceIds } = await auth.Logout({ actorId: userId, sessionId }, context);
      deps.revocations.add({ userId, sessionIds: [sessionId] });
      await forgetPushTokens(deps, userId, deviceIds, context);
      return { status: 204, body: undefined };
    },
    async 'auth.logoutAll'({ caller, context }) {
      const { userId, sessionId } = caller;
      const { deviceIds } = await auth.LogoutAll({ actorId: userId }, context);
      // The other sessions are told by auth to every gateway; this one must not wait for that.
      deps.revocations.add({ userId, sessionIds: [sessionId] });
      await forgetPushTokens(deps, userId, deviceIds, context);
      return { status: 204, body: undefined };
    },
    async 'auth.me'({ caller, context }) {
      const [account, presence] = await Promise.all([
        auth.GetMe({ actorId: caller.userId }, context),
        ownPresence(deps, caller, context),
      ]);
      return { status: 200, body: presentMe(account, presence) };
    },
  };
}

function deviceInfo(given: z.output<typeof device> | undefined): DeviceInfo | null {
  if (!given) return null;
  const { id = '', name, platform, appVersion = '' } = given;
  return { id, name, platform, appVersion };
}

function presentTokens(reply: SessionReply): Omit<Session, 'user'> {
  const { accessToken, refreshToken, expiresIn, deviceId } = reply;
  return { accessToken, refreshToken, expiresIn, deviceId };
}

function presentSession(reply: SessionReply): Session {
  if (!reply.user) throw new Error('a session without its account');
  return { user: presentMe(reply.user), ...presentTokens(reply) };
}
