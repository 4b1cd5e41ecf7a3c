// Checks docs/capabilities.md: every row names a test file that exists and words that stand in it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const rows = readFileSync(join(root, 'docs/capabilities.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| [A-Z]{2}\d\d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));
const seen = new Set();
const problems = [];

for (const [, id, , cell] of rows) {
  if (seen.has(id)) problems.push(`${id} stands there twice`);
  seen.add(id);
  const [, path, words] = /^`([^`]+)`(?: "(.+)")?$/.exec(cell ?? '') ?? [];
  if (!path || !existsSync(join(root, path))) problems.push(`${id} names no test that exists: ${cell}`);
  else if (words && !readFileSync(join(root, path), 'utf8').includes(words))
    problems.push(`${id}: ${path} has no "${words}"`);
}
if (rows.length === 0) problems.push('docs/capabilities.md has no rows');
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
