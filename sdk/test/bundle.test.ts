import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';

const index = fileURLToPath(new URL('../src/index.ts', import.meta.url));
const dexieStore = fileURLToPath(new URL('../src/dexie-store.ts', import.meta.url));

async function bundle(entry: string, external: string[] = []): Promise<{ bytes: number; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    external,
    logLevel: 'silent',
  });
  const text = outputFiles[0]?.contents ?? new Uint8Array();
  return { bytes: gzipSync(text, { level: 9 }).length, inputs: Object.keys(metafile.inputs) };
}

describe('the bundle for browsers', () => {
  it('given the client with all that it needs, when it is bundled, then it has at most 40 kB', async () => {
    const { bytes, inputs } = await bundle(index);
    expect(bytes).toBeLessThan(40_000);
    expect(inputs.filter((path) => /zod|dexie|packages\//.test(path))).toEqual([]);
  });

  it('given the store in IndexedDB, when it is bundled without Dexie, then it adds less than 2 kB', async () => {
    expect((await bundle(dexieStore, ['dexie'])).bytes).toBeLessThan(2_000);
  });
});
