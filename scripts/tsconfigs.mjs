import fs from 'node:fs';
import path from 'node:path';
const dirs = ['packages', 'services']
  .flatMap((d) => fs.readdirSync(d).map((x) => d + '/' + x))
  .concat(['e2e', 'chaos', 'bench']);
const byName = {};
for (const d of dirs) {
  byName[JSON.parse(fs.readFileSync(d + '/package.json')).name] = d;
}
for (const d of dirs) {
  const p = JSON.parse(fs.readFileSync(d + '/package.json'));
  const refs = Object.keys(p.dependencies)
    .filter((n) => byName[n])
    .map((n) => ({ path: path.relative(d, byName[n]) }));
  fs.writeFileSync(
    d + '/tsconfig.json',
    JSON.stringify(
      {
        extends: path.relative(d, 'tsconfig.base.json'),
        compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' },
        include: ['src'],
        references: refs,
      },
      null,
      2,
    ) + '\n',
  );
}
fs.writeFileSync(
  'tsconfig.json',
  JSON.stringify({ files: [], references: dirs.map((d) => ({ path: d })) }, null, 2) + '\n',
);
