import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { accessDenied, invalidArgument, S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';

/** The one identity that the server knows. */
export type S3Credentials = { accessKeyId: string; secretAccessKey: string; region: string };

/** What the signature of a request says about its body. */
export type PayloadHash = string;

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const LONGEST_LIFE_SECONDS = 604_800;
const CLOCK_SKEW_MS = 15 * 60_000;
/** Headers that AWS never asks to be signed. */
const HOP_BY_HOP = new Set(['authorization']);

type Claim = {
  credential: string;
  signedHeaders: string[];
  signature: string;
  date: string;
  payloadHash: PayloadHash;
  presigned: boolean;
};

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** RFC 3986 encoding as SigV4 wants it. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

const parseDate = (text: string): number => {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) throw accessDenied('The date of the signature is missing or malformed.');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
};

const claimOfQuery = ({ query }: S3Request): Claim => {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM)
    throw invalidArgument('X-Amz-Algorithm only supports AWS4-HMAC-SHA256');
  return {
    credential: query.get('X-Amz-Credential') ?? '',
    signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: query.get('X-Amz-Signature') ?? '',
    date: query.get('X-Amz-Date') ?? '',
    payloadHash: query.get('X-Amz-Content-Sha256') ?? UNSIGNED_PAYLOAD,
    presigned: true,
  };
};

const claimOfHeader = (request: S3Request): Claim => {
  const authorization = request.http.headers.authorization;
  if (authorization === undefined) throw accessDenied('Access Denied');
  const part = (name: string): string => new RegExp(`${name}=([^,\\s]+)`).exec(authorization)?.[1] ?? '';
  if (!authorization.startsWith(`${ALGORITHM} `))
    throw new S3Error(400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed.');
  const payloadHash = request.http.headers['x-amz-content-sha256'];
  if (typeof payloadHash !== 'string') throw invalidArgument('Missing required header: x-amz-content-sha256');
  return {
    credential: part('Credential'),
    signedHeaders: part('SignedHeaders').split(';'),
    signature: part('Signature'),
    date: String(request.http.headers['x-amz-date'] ?? ''),
    payloadHash,
    presigned: false,
  };
};

const checkTime = (request: S3Request, claim: Claim, now: number): void => {
  const signedAt = parseDate(claim.date);
  if (!claim.presigned) {
    if (Math.abs(now - signedAt) <= CLOCK_SKEW_MS) return;
    throw new S3Error(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
    );
  }
  const life = Number(request.query.get('X-Amz-Expires'));
  if (!Number.isInteger(life) || life < 1 || life > LONGEST_LIFE_SECONDS)
    throw new S3Error(400, 'AuthorizationQueryParametersError', 'X-Amz-Expires must be between 1 and 604800 seconds.');
  if (signedAt > now + CLOCK_SKEW_MS) throw accessDenied('Request is not valid yet');
  if (now > signedAt + life * 1_000) throw accessDenied('Request has expired');
};

const checkScope = (claim: Claim, credentials: S3Credentials): string => {
  const [accessKeyId, day, region, service, terminator] = claim.credential.split('/');
  if (accessKeyId !== credentials.accessKeyId)
    throw new S3Error(403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.');
  if (
    region !== credentials.region ||
    service !== 's3' ||
    terminator !== 'aws4_request' ||
    day !== claim.date.slice(0, 8)
  )
    throw new S3Error(
      400,
      'AuthorizationHeaderMalformed',
      `The credential scope must name the region ${credentials.region}.`,
    );
  return [day, region, service, terminator].join('/');
};

const checkSignedHeaders = (request: S3Request, claim: Claim): void => {
  const signed = new Set(claim.signedHeaders);
  const mustBe = Object.keys(request.http.headers).filter(
    (name) => name.startsWith('x-amz-') || name === 'content-md5',
  );
  const unsigned = ['host', ...mustBe].filter((name) => !signed.has(name) && !HOP_BY_HOP.has(name));
  if (unsigned.length > 0)
    throw accessDenied(`There were headers present in the request which were not signed: ${unsigned.join(', ')}`);
};

const canonicalQuery = (query: URLSearchParams): string =>
  [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const canonicalPath = (path: string): string =>
  path
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/');

const canonicalRequest = (request: S3Request, claim: Claim): string => {
  const headers = claim.signedHeaders.map((name) => {
    const value = request.http.headers[name];
    const text = Array.isArray(value) ? value.join(',') : (value ?? '');
    return `${name}:${text.trim().replace(/\s+/g, ' ')}\n`;
  });
  return [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    headers.join(''),
    claim.signedHeaders.join(';'),
    claim.payloadHash,
  ].join('\n');
};

const checkSignature = (request: S3Request, claim: Claim, credentials: S3Credentials, scope: string): void => {
  const hash = createHash('sha256').update(canonicalRequest(request, claim)).digest('hex');
  const text = [ALGORITHM, claim.date, scope, hash].join('\n');
  const [day = '', region = '', service = '', terminator = ''] = scope.split('/');
  const key = [region, service, terminator].reduce(hmac, hmac(`AWS4${credentials.secretAccessKey}`, day));
  const expected = hmac(key, text);
  const given = Buffer.from(claim.signature, 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new S3Error(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
    );
};

/**
 * Checks the AWS Signature Version 4 of a request, in its headers or in its query (presigned): key, scope, time, that
 * everything that must be signed is, and the signature itself.
 *
 * @param now milliseconds since 1970
 * @returns what was signed about the body: its SHA-256 in hex, `UNSIGNED-PAYLOAD` or a `STREAMING-...` form
 * @throws S3Error as S3 answers it
 */
export const checkRequestSignature = (request: S3Request, credentials: S3Credentials, now: number): PayloadHash => {
  const claim = request.query.has('X-Amz-Algorithm') ? claimOfQuery(request) : claimOfHeader(request);
  const scope = checkScope(claim, credentials);
  checkTime(request, claim, now);
  checkSignedHeaders(request, claim);
  checkSignature(request, claim, credentials, scope);
  return claim.payloadHash;
};
