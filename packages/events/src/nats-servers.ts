/** Where and as whom to connect. */
export type NatsServers = { servers: string[]; user?: string; pass?: string; token?: string };

/**
 * Takes a NATS_URL apart: the client wants credentials apart from the addresses, and ignores them in a URL.
 * @param url `nats://host:port`, `nats://user:password@host:port` or `nats://token@host:port`, or several separated by
 *   commas; the first credentials hold for all.
 */
export function natsServers(url: string): NatsServers {
  const urls = url.split(',').map((server) => new URL(server.trim()));
  const servers = urls.map(({ protocol, host }) => `${protocol}//${host}`);
  const named = urls.find(({ username }) => username !== '');
  if (!named) return { servers };
  const user = decodeURIComponent(named.username);
  return named.password === '' ? { servers, token: user } : { servers, user, pass: decodeURIComponent(named.password) };
}
