import { createHash } from 'node:crypto';
import { type Door, problemOf } from '../door-client.ts';
import { failed, type Finding, ok, reasonOf, unchecked } from '../finding.ts';
import type { Person } from './message.ts';

const check = 'bucket';
/** A PNG of 2 x 2 points. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==',
  'base64',
);

type Upload = { uploadId: string; url: string; headers: Record<string, string> };

/** An upload as a client does it: asked for, put straight to the storage, confirmed, deleted. And from a browser. */
export async function checkBucket(door: Door, person: Person, origin: string | undefined): Promise<Finding[]> {
  const sha256 = createHash('sha256').update(picture).digest('hex');
  const wanted = { fileName: 'doctor.png', contentType: 'image/png', size: picture.length, sha256, purpose: 'message' };
  const asked = await door.call('POST', '/media/upload-url', person.token, wanted);
  if (asked.status !== 201 || !asked.body) {
    return [
      failed(check, `no upload URL: ${problemOf(asked)}`, 'See the log of media, and whether its pods are ready.'),
    ];
  }
  const upload = asked.body as Upload;
  try {
    return [await putAndConfirm(door, person, upload), await browserMayPut(door, upload, origin)];
  } finally {
    await door.call('DELETE', `/media/${upload.uploadId}`, person.token);
  }
}

async function putAndConfirm(door: Door, person: Person, { uploadId, url, headers }: Upload): Promise<Finding> {
  const { host } = new URL(url);
  const put = await door.ask('PUT', url, { headers, body: picture }).catch((error: unknown) => reasonOf(error));
  if (typeof put === 'string') {
    const fix = 'Set engines.s3.publicEndpoint (S3_PUBLIC_ENDPOINT) to an address of the storage that clients reach.';
    return failed(check, `${host} cannot be reached from here: ${put}`, fix);
  }
  if (put.status !== 200) return failed(check, `${host} refused a signed upload: ${put.status}`, refusalFix(put.body));
  const confirmed = await door.call('POST', '/media/confirm', person.token, { uploadId });
  if (confirmed.status !== 200) {
    const fix = 'Media does not see what was stored: it and the presigned URL may name different buckets or servers.';
    return failed(check, `an upload was stored and not confirmed: ${problemOf(confirmed)}`, fix);
  }
  return ok(check, `${host} took a signed upload and media found it`);
}

function refusalFix(body: Buffer): string {
  const code = /<Code>(\w+)<\/Code>/.exec(body.toString('utf8'))?.[1];
  const advice: Record<string, string> = {
    SignatureDoesNotMatch: 'A proxy in front changes host or headers, or S3_SECRET_ACCESS_KEY or S3_REGION is wrong.',
    RequestTimeTooSkewed: 'Run NTP on the nodes and on the storage.',
    NoSuchBucket: 'Make the bucket, or correct S3_BUCKET.',
    AccessDenied: 'Let the key of media put objects (s3:PutObject) into this bucket.',
  };
  return `${code ?? 'The storage gives no code'}: ${advice[code ?? ''] ?? 'see the log of the storage.'}`;
}

async function browserMayPut(door: Door, { url, headers }: Upload, origin: string | undefined): Promise<Finding> {
  const name = 'CORS of the bucket';
  if (origin === undefined) {
    return unchecked(name, 'no origin to try', '--origin https://app.example.com, if a web app uses this.');
  }
  const preflight = await door.ask('OPTIONS', url, {
    headers: {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': Object.keys(headers).join(','),
    },
  });
  const permitted = preflight.headers['access-control-allow-origin'];
  const methods = preflight.headers['access-control-allow-methods'] ?? '';
  if ((permitted === origin || permitted === '*') && methods.includes('PUT')) {
    return ok(name, `a browser of ${origin} may upload`);
  }
  const fix =
    `Give the bucket a CORS rule: AllowedOrigins [${origin}], AllowedMethods [PUT, GET, HEAD], ` +
    'AllowedHeaders [content-type, if-none-match, x-amz-checksum-sha256, range].';
  return failed(name, `a browser of ${origin} may not upload (${preflight.status})`, fix);
}
