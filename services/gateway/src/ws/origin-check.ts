import type { IncomingMessage } from 'node:http';

/**
 * Whether a page of this origin may connect: one on the list, or of this very host. Native clients send no origin and
 * are no danger here: the token is in the handshake, not in a cookie.
 */
export function originIsAllowed(request: Pick<IncomingMessage, 'headers'>, allowed: readonly string[]): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true;
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}
