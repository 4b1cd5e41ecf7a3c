import { fileTypeFromBuffer } from 'file-type';
import { acceptedType, programTypes } from './accepted-types.ts';

/** How many bytes from the start are enough to tell a type. */
export const sniffBytes = 64 * 1024;

/**
 * Whether the first bytes of an object are what was declared.
 * @param start at most `sniffBytes` from the beginning.
 * @returns undefined when they are, else one sentence that says what is wrong.
 */
export async function refuseBytes(contentType: string, start: Uint8Array): Promise<string | undefined> {
  const accepted = acceptedType(contentType);
  if (!accepted) return `The type ${contentType} is not accepted.`;
  if (accepted.bytes === 'text') return isText(start) ? undefined : `The content is not ${contentType}.`;
  const found = (await detect(start))?.split(';')[0];
  if (accepted.bytes === 'any') {
    return found !== undefined && programTypes.has(found) && !isText(start) ? 'Programs are not accepted.' : undefined;
  }
  return found !== undefined && accepted.bytes.includes(found) ? undefined : `The content is not ${contentType}.`;
}

/** Hostile bytes may make the detector fail: then it is of no known type. */
async function detect(start: Uint8Array): Promise<string | undefined> {
  try {
    return (await fileTypeFromBuffer(start))?.mime;
  } catch {
    return undefined;
  }
}

/** Text has no control characters but white space and escape; UTF-16 with its mark is text as well. */
function isText(start: Uint8Array): boolean {
  const [first, second] = start;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return start.every((byte) => byte >= 0x20 || (byte >= 0x08 && byte <= 0x0d) || byte === 0x1b);
}
