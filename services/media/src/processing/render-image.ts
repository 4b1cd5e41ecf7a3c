import { rgbaToThumbHash } from 'thumbhash';
import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp';
import { PixelBudget } from './pixel-budget.ts';
import { UnusableUpload } from './unusable-upload.ts';

export type RenderLimits = {
  /** Pixels that are decoded at once, and so the largest still image: 60 million take about 600 MB. */
  pixels: number;
  /** Pixels of all frames of an animation: bounds the time. */
  animatedPixels: number;
  /** How long one pass over the image may take. */
  seconds: number;
};

export const defaultRenderLimits: RenderLimits = { pixels: 60_000_000, animatedPixels: 100_000_000, seconds: 25 };

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

/** See `createImageRenderer`. */
export type ImageRenderer = (bytes: Uint8Array, declaredType: string) => Promise<RenderedImage>;

const thumbnailSize = 320;
const thumbhashSize = 100;

type Format = 'jpeg' | 'png' | 'webp' | 'gif' | 'heif';

type Row = {
  format: Format;
  contentType: string;
  /** Memory of a pixel while it is decoded and encoded, relative to JPEG. */
  weight: number;
};

/** What each declared type must decode as; anything else is not decoded at all. */
const formats = new Map<string, Row>([
  ['image/jpeg', { format: 'jpeg', contentType: 'image/jpeg', weight: 1 }],
  ['image/jpg', { format: 'jpeg', contentType: 'image/jpeg', weight: 1 }],
  ['image/png', { format: 'png', contentType: 'image/png', weight: 1 }],
  ['image/webp', { format: 'webp', contentType: 'image/webp', weight: 1 }],
  ['image/gif', { format: 'gif', contentType: 'image/gif', weight: 1 }],
  ['image/avif', { format: 'heif', contentType: 'image/avif', weight: 4 }],
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
 * Makes the function that decodes an image and encodes it anew, so that nothing but its pixels survives: metadata,
 * trailing bytes and polyglots are gone, EXIF orientation is applied. Several large images wait for each other.
 * It throws UnusableUpload when the image is broken, is not of its declared type, or is larger than the limits when
 * decoded.
 */
export function createImageRenderer(limits: RenderLimits): ImageRenderer {
  const budget = new PixelBudget(limits.pixels);
  return async (bytes, declaredType) => {
    const row = formats.get(declaredType);
    if (!row) throw new UnusableUpload(`Images of the type ${declaredType} cannot be shown.`);
    const header = await inspect(bytes, row, limits);
    return budget.hold(header.cost, () => render(bytes, row, header, limits));
  };
}

type Header = { animated: boolean; palette: boolean; cost: number };

/** Reads the header only: a small file that would decode to something huge goes no further. */
async function inspect(bytes: Uint8Array, { format, weight }: Row, limits: RenderLimits): Promise<Header> {
  const header = await readHeader(bytes);
  if (header.format !== format || (format === 'heif' && header.compression !== 'av1')) {
    throw new UnusableUpload('The image is not of its declared type.');
  }
  const frames = format === 'gif' || format === 'webp' ? (header.pages ?? 1) : 1;
  const animated = frames > 1;
  const cost = header.width * (header.pageHeight ?? header.height) * weight;
  if (cost > limits.pixels || (animated && cost * frames > limits.animatedPixels)) throw tooManyPixels();
  return { animated, palette: header.isPalette, cost };
}

async function render(bytes: Uint8Array, row: Row, header: Header, limits: RenderLimits): Promise<RenderedImage> {
  const { animated } = header;
  const options: SharpOptions = { failOn: 'error', sequentialRead: true };
  try {
    const whole = sharp(bytes, {
      ...options,
      animated,
      limitInputPixels: animated ? limits.animatedPixels : limits.pixels,
    }).timeout({ seconds: limits.seconds });
    // Frames cannot be turned; an animation's orientation is dropped with its metadata.
    const upright = animated ? whole : whole.autoOrient();
    const content = await encode(upright, row.format, header.palette).toBuffer({ resolveWithObject: true });
    const small = await thumbnail(bytes, { ...options, limitInputPixels: limits.pixels }, limits);
    return {
      content: content.data,
      contentType: row.contentType,
      width: content.info.width,
      height: content.info.pageHeight ?? content.info.height,
      thumbnail: small,
      thumbhash: await thumbhash(small),
    };
  } catch (error) {
    throw asUnusable(error);
  }
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
      // The palettes are kept, so there is nothing to dither; it would only take time.
      return image.gif({ effort: 1, dither: 0 });
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
