import { createHash } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { type Identity, identityKey } from '../accounts/identity.ts';

/** Who tries something: what they claim to be and where they come from. `ip` may be empty when it is not known. */
export type Subject = { identity: Identity; ip: string };

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);

/** The counter key of an identity; no address or number of a person stands in it. */
export const identityCounter = (purpose: string, identity: Identity): string =>
  `auth:${purpose}:id:${digest(identityKey(identity))}`;

/** The counter key of a network address, or undefined when the address is not known. */
export function addressCounter(purpose: string, ip: string): string | undefined {
  return ip === '' ? undefined : `auth:${purpose}:ip:${digest(addressGroup(ip))}`;
}

/** An IPv4 address is one client or one NAT; of IPv6 everybody owns at least a /64, so that counts as one. */
export function addressGroup(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1] ?? ip;
  if (isIPv4(mapped) || !isIPv6(mapped)) return mapped;
  const [head = '', tail = ''] = (mapped.split('%')[0] ?? '').toLowerCase().split('::');
  const [before, after] = [head, tail].map((part) => part.split(':').filter(Boolean)) as [string[], string[]];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  const groups = [...before, ...zeros, ...after].slice(0, 4);
  return groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':');
}
