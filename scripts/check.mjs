// `npm run check`: types, lint, format, protos, generated files and the smallest versions of what must be patched.
// Every check runs, each says how long it took; the exit code is 1 when any failed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => join(root, 'node_modules', '.bin', name);

const checks = [
  {
    name: 'types',
    steps: [
      [bin('tsc'), '-b'],
      [bin('tsc'), '-p', 'tsconfig.test.json'],
    ],
  },
  { name: 'lint', steps: [[bin('oxlint'), '--type-aware', '--quiet']] },
  { name: 'format', steps: [[bin('prettier'), '--check', '--log-level', 'warn', '.']] },
  { name: 'protos', steps: [[bin('buf'), 'lint', 'proto']] },
  { name: 'project files', steps: [[process.execPath, 'scripts/tsconfigs.mjs', '--check']] },
  {
    name: 'contracts',
    steps: [
      [process.execPath, 'scripts/contracts.mjs', '--check'],
      [process.execPath, 'scripts/sdk-contract.mjs', '--check'],
    ],
  },
  { name: 'capabilities', steps: [[process.execPath, 'scripts/capabilities.mjs']] },
  { name: 'version floors', steps: [[process.execPath, 'scripts/version-floors.mjs']] },
];

function run(command) {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ ok: false, output: String(error) }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

async function carryOut(check) {
  const started = Date.now();
  for (const step of check.steps) {
    const { ok, output } = await run(step);
    if (!ok) return { ...check, ok, output, ms: Date.now() - started };
  }
  return { ...check, ok: true, output: '', ms: Date.now() - started };
}

if (!existsSync(join(root, 'node_modules'))) {
  console.error('Run `npm ci` first.');
  process.exit(1);
}
await import('./generate.mjs');
await import('./drop-stale.mjs');
let failed = 0;
for (const check of checks) {
  const { name, ok, output, ms } = await carryOut(check);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${(ms / 1000).toFixed(1)} s)`);
  if (!ok) {
    failed += 1;
    console.log(output.trimEnd());
  }
}
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
