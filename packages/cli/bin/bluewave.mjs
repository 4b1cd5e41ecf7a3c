#!/usr/bin/env node
// `npx bluewave <command>`. In a checkout that was never built it builds itself first.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/main.js', import.meta.url);
if (!existsSync(built)) {
  const preparation = new URL('../../../scripts/prepare.mjs', import.meta.url);
  if (!existsSync(preparation)) throw new Error(`${fileURLToPath(built)} is missing: the package is not whole`);
  const { prepare } = await import(preparation.href);
  await prepare(['packages/cli']);
}
await import(built.href);
