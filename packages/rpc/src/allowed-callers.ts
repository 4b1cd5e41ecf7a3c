import { AppError } from '@bluewave/errors/app-error';

type AuthenticatedCall = {
  getAuthContext(): {
    sslPeerCertificate?: { subject?: { CN?: string | string[] }; subjectaltname?: string | undefined };
  };
};

/**
 * Deny by default: with an allow-list, only callers whose client certificate carries a listed name (CN or DNS name)
 * may call. @returns the refusal, or undefined when the caller may go on.
 */
export function refuseUnknownCaller(call: AuthenticatedCall, allowed: string[]): AppError | undefined {
  if (allowed.length === 0) return undefined;
  const certificate = call.getAuthContext().sslPeerCertificate;
  const alternatives = (certificate?.subjectaltname ?? '').split(',').map((name) => name.trim().replace(/^DNS:/, ''));
  const common = certificate?.subject?.CN;
  const names = [...alternatives, ...(Array.isArray(common) ? common : [common])];
  return names.some((name) => name !== undefined && allowed.includes(name))
    ? undefined
    : new AppError('FORBIDDEN', 'This service may not call here.');
}
