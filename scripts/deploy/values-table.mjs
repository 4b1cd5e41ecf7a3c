// The table of values in helm/bluewave/README.md, made from the comments of values.yaml.
//   node scripts/deploy/values-table.mjs          writes it
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { isMap, isScalar, parseDocument } from 'yaml';
import { chartPath } from './chart.mjs';

const readme = join(chartPath, 'README.md');
const begin = '<!-- values: made by scripts/deploy/values-table.mjs -->';
const end = '<!-- end of values -->';

const oneLine = (comment) =>
  (comment ?? '')
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .trim();
const cell = (text) => text.replaceAll('|', '\\|');
const prose = (text) => cell(text).replaceAll('<', '\\<');

/** Rows of a map: a map with documented keys of its own is descended into, another one is a value. */
function rowsOf(map, path, comment) {
  return map.items.flatMap((pair, index) => {
    const own = oneLine(pair.key.commentBefore ?? (index === 0 ? comment : undefined));
    const at = [...path, pair.key.value];
    const nested = isMap(pair.value) && pair.value.items.length > 0 && !pair.value.flow;
    if (nested) {
      const first = oneLine(pair.value.commentBefore);
      const rows = rowsOf(pair.value, at, first);
      return own ? [{ name: at.join('.'), fallback: '', about: own }, ...rows] : rows;
    }
    const json =
      pair.value === null || (isScalar(pair.value) && pair.value.value === null)
        ? 'null'
        : JSON.stringify(pair.value.toJSON());
    return [{ name: at.join('.'), fallback: json, about: own }];
  });
}

/** The README's text with a fresh table. */
export async function readmeWithTable() {
  const document = parseDocument(readFileSync(join(chartPath, 'values.yaml'), 'utf8'));
  const rows = rowsOf(document.contents, [], undefined);
  const lines = rows.map(
    ({ name, fallback, about }) => `| \`${name}\` | ${fallback ? `\`${cell(fallback)}\`` : ''} | ${prose(about)} |`,
  );
  const table = [begin, '', '| value | default | meaning |', '| --- | --- | --- |', ...lines, '', end].join('\n');
  const text = readFileSync(readme, 'utf8');
  const [head, rest] = [text.slice(0, text.indexOf(begin)), text.slice(text.indexOf(end) + end.length)];
  return format(head + table + rest, { ...(await resolveConfig(readme)), parser: 'markdown' });
}

/** Whether the README's table is what values.yaml says. */
export const tableIsFresh = async () => (await readmeWithTable()) === readFileSync(readme, 'utf8');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(readme, await readmeWithTable());
  process.stdout.write('helm/bluewave/README.md: table written\n');
}
