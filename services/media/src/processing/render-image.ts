import { rgbaToThumbHash } from 'thumbhash';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { UnusableUpload } from './unusable-upload.ts';

export type RenderLimits = {
  /** Pixels of a still image: bounds the memory of decoding. */
  pixels: number;
  /** Pixels of all frames of an animation: bounds the time. */
  animatedPixels: number;
  /** How long one pass over the image may take. */
  seconds: number;
};

export const defaultRenderLimits: RenderLimits = { pixels: 60_000_000, animatedPixels: 200_000_000, seconds: 20 };

export type RenderedImage = {
  content: Uint8Array;
  contentType: string;
  width: number;
  height: number;
  /** WebP of at most 320 x 320. */
  thumbnail: Uint8Array;
  /** Base64. */
  thumbhash: string;
};

const thumbnailSize = 320;
const thumbhashSize = 100;

type Format = 'jpeg' | 'png' | 'webp' | 'gif' | 'heif';

/** What each declared type must decode as; anything else is not decoded at all. */
const formats = new Map<string, { format: Format; contentType: string }>([
  ['image/jpeg', { format: 'jpeg', contentType: 'image/jpeg' }],
  ['image/jpg', { format: 'jpeg', contentType: 'image/jpeg' }],
  ['image/png', { format: 'png', contentType: 'image/png' }],
  ['image/webp', { format: 'webp', contentType: 'image/webp' }],
  ['image/gif', { format: 'gif', contentType: 'image/gif' }],
  ['image/avif', { format: 'heif', contentType: 'image/avif' }],
]);

/**
 * Prepares the decoder for hostile input, once a process: only the five formats above can be loaded at all (no SVG, PDF
 * or ImageMagick), nothing is cached, one thread an image. Other use of sharp in the process is affected.
 */
export function restrictDecoder(): void {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((loader) => `VipsForeignLoad${loader}`),
  });
  sharp.cache(false);
  sharp.concurrency(1);
}

/**
 * Decodes an image and encodes it anew, so that nothing but its pixels survives: metadata, trailing bytes and
 * polyglots are gone, EXIF orientation is applied.
 * @throws UnusableUpload when it is broken, is not of its declared type, or is larger than the limits when decoded.
 */
export async function renderImage(
  bytes: Uint8Array,
  declaredType: string,
  limits: RenderLimits,
): Promise<RenderedImage> {
  const expected = formats.get(declaredType);
  if (!expected) throw new UnusableUpload(`Images of the type ${declaredType} cannot be shown.`);
  const { animated, palette } = await inspect(bytes, expected.format, limits);
  const options: SharpOptions = {
    limitInputPixels: animated ? limits.animatedPixels : limits.pixels,
    failOn: 'error',
    sequentialRead: true,
  };
  try {
    const whole = sharp(bytes, { ...options, animated }).timeout({ seconds: limits.seconds });
    // Frames cannot be turned; an animation's orientation is dropped with its metadata.
    const upright = animated ? whole : whole.autoOrient();
    const content = await encode(upright, expected.format, palette).toBuffer({ resolveWithObject: true });
    const small = await thumbnail(bytes, { ...options, limitInputPixels: limits.pixels }, limits);
    return {
      content: content.data,
      contentType: expected.contentType,
      width: content.info.width,
      height: content.info.pageHeight ?? content.info.height,
      thumbnail: small,
      thumbhash: await thumbhash(small),
    };
  } catch (error) {
    throw asUnusable(error);
  }
}

/** Reads the header only: a small file that would decode to something huge goes no further. */
async function inspect(
  bytes: Uint8Array,
  format: Format,
  limits: RenderLimits,
): Promise<{ animated: boolean; palette: boolean }> {
  const header = await readHeader(bytes);
  if (header.format !== format || (format === 'heif' && header.compression !== 'av1')) {
    throw new UnusableUpload('The image is not of its declared type.');
  }
  const pages = format === 'gif' || format === 'webp' ? (header.pages ?? 1) : 1;
  const animated = pages > 1;
  const pixels = header.width * (header.pageHeight ?? header.height) * pages;
  if (pixels > (animated ? limits.animatedPixels : limits.pixels)) throw tooManyPixels();
  return { animated, palette: header.isPalette };
}

async function readHeader(bytes: Uint8Array): Promise<Metadata> {
  try {
    return await sharp(bytes, { limitInputPixels: false, animated: true }).metadata();
  } catch (error) {
    throw new UnusableUpload('The image cannot be read.', { cause: error });
  }
}

function encode(image: Sharp, format: Format, palette: boolean): Sharp {
  switch (format) {
    case 'jpeg':
      return image.jpeg({ quality: 85 });
    case 'png':
      return image.png({ palette });
    case 'webp':
      return image.webp({ quality: 85 });
    case 'gif':
      return image.gif();
    case 'heif':
      // Higher efforts take more than ten times as long for a hundredth of the size.
      return image.avif({ quality: 60, effort: 2 });
  }
}

function thumbnail(bytes: Uint8Array, options: SharpOptions, limits: RenderLimits): Promise<Uint8Array> {
  return sharp(bytes, options)
    .timeout({ seconds: limits.seconds })
    .autoOrient()
    .resize({ width: thumbnailSize, height: thumbnailSize, fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 75 })
    .toBuffer();
}

async function thumbhash(small: Uint8Array): Promise<string> {
  const { data, info } = await sharp(small)
    .resize({ width: thumbhashSize, height: thumbhashSize, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return Buffer.from(rgbaToThumbHash(info.width, info.height, data)).toString('base64');
}

/** A pass that took too long may do better on a calmer machine; all else that the decoder says is final. */
function asUnusable(error: unknown): unknown {
  if (!(error instanceof Error) || error.message.startsWith('timeout')) return error;
  if (/pixel limit/i.test(error.message)) return tooManyPixels(error);
  return new UnusableUpload('The image is damaged.', { cause: error });
}

function tooManyPixels(cause?: unknown): UnusableUpload {
  return new UnusableUpload('The image has too many pixels.', { cause });
}
