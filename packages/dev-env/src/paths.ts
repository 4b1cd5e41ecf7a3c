import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlatformError } from './platform-error.ts';

/** `packages/dev-env`, whether this file runs from `src` (tests) or from `dist`. */
const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/** The root folder of the project. */
export const projectRoot = path.resolve(packageRoot, '..', '..');

/**
 * The built form of one of this package's entry points: child processes always run what was built, since Node runs no
 * TypeScript by itself.
 *
 * @param name path below `dist`, such as `fcm/fcm-main.js`
 * @throws PlatformError when nothing was built yet
 */
export const builtFile = (name: string): string => {
  const file = path.join(packageRoot, 'dist', name);
  if (!existsSync(file))
    throw new PlatformError(`${path.relative(projectRoot, file)} is missing: run "npm run build".`);
  return file;
};
