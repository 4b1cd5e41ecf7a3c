import type { RequestCodeParts } from '../codes/request-code.ts';
import type { VerifyCodeParts } from '../codes/verify-code.ts';
import type { LoginParts } from '../credentials/login.ts';
import type { RegisterParts } from '../credentials/register.ts';
import type { DevicesParts } from '../sessions/devices.ts';
import type { EndSessionsParts } from '../sessions/end-sessions.ts';
import type { RefreshParts } from '../sessions/refresh-session.ts';

/** Everything a handler may need; made once in server.ts. */
export type AuthParts = Omit<RegisterParts & LoginParts & EndSessionsParts & DevicesParts, 'secrets'> & {
  requestCode: RequestCodeParts;
  verifyCode: VerifyCodeParts;
  refresh: RefreshParts;
  /** Public keys as a JWK set. */
  jwksJson: string;
};
