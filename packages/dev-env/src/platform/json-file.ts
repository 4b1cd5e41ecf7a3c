import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { systemCode } from '../platform-error.ts';

/** Writes a file so that a reader finds the old content or the new one, never a part. Readable by its owner only. */
export const replaceFile = (file: string, text: string): void => {
  const next = `${file}.${process.pid}.new`;
  writeFileSync(next, text, { mode: 0o600 });
  renameSync(next, file);
};

/** The JSON in a file; undefined when there is no such file or it holds no JSON. */
export const readJsonFile = (file: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
};
