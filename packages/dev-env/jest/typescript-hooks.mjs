// How Node resolves and loads modules while tests run: workspace packages from their sources, TypeScript by swc, and
// jest's functions from `test-functions.mjs`.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const testFunctions = new URL('./test-functions.mjs', import.meta.url).href;

/** Which module a specifier names: parameters and result are those of Node's `resolve` hook. */
export function resolve(specifier, context, nextResolve) {
  if (specifier === '@jest/globals') return { url: testFunctions, format: 'module', shortCircuit: true };
  return nextResolve(specifier, { ...context, conditions: ['bluewave-src', ...context.conditions] });
}

/** The code of a module: parameters and result are those of Node's `load` hook. */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), {
    filename,
    swcrc: false,
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}
