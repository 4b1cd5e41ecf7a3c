import { deflateSync } from 'node:zlib';
import sharp from 'sharp';

/** A picture whose left half is red and right half is blue. */
function picture(width: number, height: number) {
  const right = { width: Math.ceil(width / 2), height, channels: 3 as const, background: '#0000ff' };
  return sharp({ create: { width, height, channels: 3, background: '#ff0000' } }).composite([
    { input: { create: right }, left: Math.floor(width / 2), top: 0 },
  ]);
}

export const png = (width = 64, height = 48) => picture(width, height).png().toBuffer();
export const webp = (width = 64, height = 48) => picture(width, height).webp().toBuffer();
export const avif = (width = 64, height = 48) => picture(width, height).avif({ effort: 0 }).toBuffer();
export const jpeg = (width = 640, height = 480) => picture(width, height).jpeg().toBuffer();

/** As a phone makes it: stored lying, marked to be turned by 90 degrees, with the place where it was taken. */
export const phoneJpeg = (width = 640, height = 480) =>
  picture(width, height)
    .jpeg()
    .withMetadata({ orientation: 6 })
    .withExifMerge({
      IFD0: { Make: 'SecretPhone' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '52/1 31/1 12/1',
        GPSLongitudeRef: 'E',
        GPSLongitude: '13/1 24/1 36/1',
      },
    })
    .toBuffer();

/** Three frames. */
export async function animatedGif(width = 40, height = 30): Promise<Buffer> {
  const frames = ['#ff0000', '#00ff00', '#0000ff'].map((background) =>
    sharp({ create: { width, height, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  return sharp(await Promise.all(frames), { join: { animated: true } })
    .gif({ delay: [100, 100, 100] })
    .toBuffer();
}

const crcTable = Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(
    (body.reduce((sum, byte) => (crcTable[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0,
  );
  return Buffer.concat([length, body, crc]);
}

/** A valid small file that would decode to `width` x `height` black pixels. */
export function bombPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', rows),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

export const pdf = () =>
  Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n', 'latin1');
export const html = () => Buffer.from('<!doctype html><html><body><script>alert(1)</script></body></html>');
export const svg = () =>
  Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
export const text = () => Buffer.from('Grüße aus dem Wald\n');

/** The smallest program of Windows, as far as its mark goes. */
export const program = () => Buffer.concat([Buffer.from('MZ'), Buffer.alloc(200, 0)]);

/** One silent MPEG layer III frame, several times. */
export function mp3(): Buffer {
  const frame = Buffer.alloc(417);
  frame.set([0xff, 0xfb, 0x90, 0x00]);
  return Buffer.concat(Array.from({ length: 8 }, () => frame));
}

/** The beginning of an MP4 file. */
export function mp4(): Buffer {
  const box = Buffer.from('\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'latin1');
  return Buffer.concat([box, Buffer.from('\0\0\0\x08free', 'latin1'), Buffer.alloc(64)]);
}
