import { S3Error } from './s3-error.ts';

const LONGEST_LINE = 8_192;

const incomplete = (): S3Error => new S3Error(400, 'IncompleteBody', 'The request body terminated unexpectedly.');

/**
 * Decodes a body in `aws-chunked` encoding with unsigned chunks: `<hex length>[;extension]\r\n<bytes>\r\n` ... `0\r\n`
 * and trailing headers.
 *
 * @param source the encoded bytes
 * @param onTrailer called with each trailing header, its name in lower case
 * @throws S3Error when the encoding is broken or ends early
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  onTrailer: (name: string, value: string) => void,
): AsyncGenerator<Buffer> {
  let pending: Buffer = Buffer.alloc(0);
  /** Bytes of the current chunk still to come, then its line end; `size line` and `trailers` are read by lines. */
  let left = 0;
  let state: 'size' | 'data' | 'data end' | 'trailers' | 'end' = 'size';
  const line = (): string | undefined => {
    const at = pending.indexOf('\r\n');
    if (at < 0) {
      if (pending.length > LONGEST_LINE) throw incomplete();
      return undefined;
    }
    const text = pending.toString('latin1', 0, at);
    pending = pending.subarray(at + 2);
    return text;
  };
  for await (const chunk of source) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (let progress = true; progress && state !== 'end';) {
      progress = false;
      if (state === 'data') {
        const taken = pending.subarray(0, left);
        pending = pending.subarray(taken.length);
        left -= taken.length;
        if (taken.length > 0) yield taken;
        progress = left === 0;
        if (progress) state = 'data end';
        continue;
      }
      const text = line();
      if (text === undefined) continue;
      progress = true;
      if (state === 'size') {
        left = parseSize(text);
        state = left === 0 ? 'trailers' : 'data';
      } else if (state === 'data end') {
        if (text !== '') throw incomplete();
        state = 'size';
      } else if (text === '') state = 'end';
      else onTrailer(...parseTrailer(text));
    }
  }
  if (state !== 'end') throw incomplete();
}

const parseSize = (line: string): number => {
  const match = /^([0-9a-f]{1,8})(?:;.*)?$/i.exec(line);
  if (match === null) throw incomplete();
  return Number.parseInt(match[1] ?? '', 16);
};

const parseTrailer = (line: string): [string, string] => {
  const at = line.indexOf(':');
  return [line.slice(0, Math.max(0, at)).toLowerCase(), line.slice(at + 1).trim()];
};
