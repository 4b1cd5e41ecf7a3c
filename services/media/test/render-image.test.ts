import { beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import {
  defaultRenderLimits,
  createImageRenderer,
  type RenderLimits,
  restrictDecoder,
} from '../src/processing/render-image.ts';
import { UnusableUpload } from '../src/processing/unusable-upload.ts';
import * as sample from './support/sample-files.ts';

beforeAll(restrictDecoder);

const render = (bytes: Uint8Array, type: string, limits: Partial<RenderLimits> = {}) =>
  createImageRenderer({ ...defaultRenderLimits, ...limits })(bytes, type);

describe('given an image', () => {
  it.each([
    ['image/jpeg', sample.jpeg],
    ['image/png', sample.png],
    ['image/webp', sample.webp],
    ['image/avif', sample.avif],
  ])('when it is %s, then it keeps its type and size and gets a small picture of itself', async (type, make) => {
    const bytes = await make(200, 100);
    const image = await render(bytes, type);
    expect(image).toMatchObject({ contentType: type, width: 200, height: 100 });
    const format = type === 'image/avif' ? 'heif' : type.slice('image/'.length);
    expect(await sharp(image.content).metadata()).toMatchObject({ format, width: 200, height: 100 });
    expect(await sharp(image.thumbnail).metadata()).toMatchObject({ format: 'webp', width: 200, height: 100 });
    expect(Buffer.from(image.thumbhash, 'base64').length).toBeGreaterThan(10);
  });

  it('when it is transparent or has a palette, then it stays so', async () => {
    const clear = {
      create: { width: 30, height: 30, channels: 4 as const, background: { r: 255, g: 0, b: 0, alpha: 0.5 } },
    };
    const transparent = await render(await sharp(clear).png().toBuffer(), 'image/png');
    expect(await sharp(transparent.content).metadata()).toMatchObject({ hasAlpha: true, channels: 4 });
    const few = await render(
      await sharp(await sample.png())
        .png({ palette: true })
        .toBuffer(),
      'image/png',
    );
    expect((await sharp(few.content).metadata()).isPalette).toBe(true);
  });

  it('when it is as wide as a ribbon, then its thumbnail has at least a pixel', async () => {
    const image = await render(await sample.png(3_000, 2), 'image/png');
    expect(await sharp(image.thumbnail).metadata()).toMatchObject({ width: 320, height: 1 });
  });
});

describe('given bytes that must not be decoded', () => {
  it.each([
    ['an SVG', 'image/png', async () => sample.svg()],
    [
      'a TIFF',
      'image/png',
      () =>
        sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
          .tiff()
          .toBuffer(),
    ],
    ['a WebP called PNG', 'image/png', () => sample.webp()],
    ['nothing', 'image/jpeg', async () => Buffer.alloc(0)],
    ['noise', 'image/gif', async () => Buffer.from('GIF89a\x01\x00\x01\x00trash')],
    ['a TIFF called TIFF', 'image/tiff', () => sample.png()],
  ])('when it is %s, then it is unusable', async (_what, type, make) => {
    await expect(render(await make(), type)).rejects.toThrow(UnusableUpload);
  });

  it('when it would be too large decoded, then it is refused before it is', async () => {
    const started = process.memoryUsage().rss;
    const bomb = sample.bombPng(30_000, 30_000);
    expect(bomb.length).toBeLessThan(200_000);
    await expect(render(bomb, 'image/png')).rejects.toThrow('The image has too many pixels.');
    expect(process.memoryUsage().rss - started).toBeLessThan(200 * 1024 * 1024);
  });

  it('when it takes more memory than its pixels say, then its limit is lower', async () => {
    const limits = { pixels: 40_000 };
    expect(await render(await sample.jpeg(200, 200), 'image/jpeg', limits)).toMatchObject({ width: 200 });
    await expect(render(await sample.jpeg(201, 200), 'image/jpeg', limits)).rejects.toThrow('too many pixels');
    expect(await render(await sample.avif(100, 100), 'image/avif', limits)).toMatchObject({ width: 100 });
    await expect(render(await sample.avif(101, 100), 'image/avif', limits)).rejects.toThrow('too many pixels');
  });

  it('when an animation has too many frames, then it is refused', async () => {
    const gif = await sample.animatedGif(100, 100);
    expect(await render(gif, 'image/gif', { animatedPixels: 30_000 })).toMatchObject({ width: 100, height: 100 });
    await expect(render(gif, 'image/gif', { animatedPixels: 29_999 })).rejects.toThrow('too many pixels');
  });

  it('when the picture ends early, then it is unusable wherever it was cut', async () => {
    const bytes = await sample.jpeg(400, 300);
    for (let part = 1; part < 10; part++) {
      const cut = bytes.subarray(0, Math.floor((bytes.length * part) / 10));
      await expect(render(cut, 'image/jpeg')).rejects.toThrow(UnusableUpload);
    }
  });
});
