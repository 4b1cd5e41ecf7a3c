// X.509 certificates from Node's own crypto: ECDSA P-256, SHA-256, DER written by hand (RFC 5280).
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

function der(tag, ...parts) {
  const body = Buffer.concat(parts);
  if (body.length < 128) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 255 ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}
const sequence = (...parts) => der(0x30, ...parts);
const octets = (...parts) => der(0x04, ...parts);
const bits = (unused, bytes) => der(0x03, Buffer.from([unused]), bytes);
const yes = der(0x01, Buffer.from([0xff]));

function oid(text) {
  const [first, second, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const value of rest) {
    const groups = [value & 0x7f];
    for (let left = value >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

function time(date) {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(0, 14) + 'Z';
  const early = date.getUTCFullYear() < 2050;
  return early ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

const signatureAlgorithm = sequence(oid('1.2.840.10045.4.3.2'));
const name = (common) => sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(common)))));
const extension = (id, critical, value) => sequence(oid(id), ...(critical ? [yes] : []), octets(value));
const keyId = (key) =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
const pem = (body) =>
  `-----BEGIN CERTIFICATE-----\n${body
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trim()}\n-----END CERTIFICATE-----\n`;

function extensionsOf({ authority, dnsNames, publicKey, issuerPublicKey }) {
  const serverAndClient = sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'));
  const names = sequence(...dnsNames.map((dns) => der(0x82, Buffer.from(dns))));
  // Key usage bits: keyCertSign and cRLSign for an authority, digitalSignature for the others.
  const usage = authority ? bits(1, Buffer.from([0x06])) : bits(7, Buffer.from([0x80]));
  return [
    extension('2.5.29.19', true, authority ? sequence(yes) : sequence()),
    extension('2.5.29.15', true, usage),
    ...(authority ? [] : [extension('2.5.29.37', false, serverAndClient), extension('2.5.29.17', false, names)]),
    extension('2.5.29.14', false, octets(keyId(publicKey))),
    extension('2.5.29.35', false, sequence(der(0x80, keyId(issuerPublicKey)))),
  ];
}

/**
 * Makes a key pair and its certificate.
 * @param commonName the subject; @param dnsNames its other names; @param days how long it holds
 * @param issuer {commonName, key} that signs, or undefined for a self-signed authority
 * @returns {key, cert} both PEM
 */
export function issue({ commonName, dnsNames = [], days, issuer, now = new Date() }) {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = issuer?.key ?? pair.privateKey;
  const serial = randomBytes(16);
  serial[0] = (serial[0] & 0x7f) | 0x40;
  // Clocks of nodes differ a little: valid from an hour ago.
  const from = new Date(now.getTime() - 3_600_000);
  const to = new Date(now.getTime() + days * 86_400_000);
  const shape = { authority: !issuer, dnsNames, publicKey: pair.publicKey, issuerPublicKey: createPublicKey(signer) };
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    signatureAlgorithm,
    name(issuer?.commonName ?? commonName),
    sequence(time(from), time(to)),
    name(commonName),
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensionsOf(shape))),
  );
  const certificate = sequence(body, signatureAlgorithm, bits(0, sign('sha256', body, signer)));
  return { key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), cert: pem(certificate) };
}
