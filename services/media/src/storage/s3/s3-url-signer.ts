import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { UrlSigner } from '../../uploads/object-store.ts';

const checksumHeader = 'x-amz-checksum-sha256';

/**
 * Signs URLs of the public endpoint. A PUT carries its exact length and type, refuses to replace an object, and pins
 * the checksum when the client gave one: all of it signed, since not every storage has POST policies.
 */
export function createS3UrlSigner(client: S3Client, bucket: string): UrlSigner {
  return {
    async signPut({ key, contentType, size, sha256, seconds }) {
      const checksum = sha256 === '' ? {} : { ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64') };
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        ContentType: contentType,
        ContentLength: size,
        IfNoneMatch: '*',
        ...checksum,
      });
      const url = await getSignedUrl(client, command, {
        expiresIn: seconds,
        signableHeaders: new Set(['host', 'content-type', 'content-length', checksumHeader]),
        unhoistableHeaders: new Set(['if-none-match', checksumHeader]),
      });
      return {
        url,
        headers: {
          'content-type': contentType,
          'if-none-match': '*',
          ...(checksum.ChecksumSHA256 === undefined ? {} : { [checksumHeader]: checksum.ChecksumSHA256 }),
        },
      };
    },

    signGet({ key, contentType, disposition, seconds }) {
      const command = new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ResponseContentType: contentType,
        ResponseContentDisposition: disposition,
        ResponseCacheControl: `private, max-age=${seconds}`,
      });
      return getSignedUrl(client, command, { expiresIn: seconds });
    },
  };
}
