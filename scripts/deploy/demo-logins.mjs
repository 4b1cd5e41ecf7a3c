// After `skaffold dev` deployed: registers the accounts that `npm start` has, and prints them. Does nothing where the
// installation is no development one.
//   node scripts/deploy/demo-logins.mjs [--namespace bluewave] [--release bluewave]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prepare } from '../prepare.mjs';
import { CheckError, findKubernetesTools, lastLine, run } from './tools.mjs';

const patienceSeconds = 240;

/** Runs inside a gateway pod: no port has to be forwarded yet. */
async function register(users) {
  for (const user of users) {
    const body = JSON.stringify({ ...user, displayName: user.username[0].toUpperCase() + user.username.slice(1) });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch('http://127.0.0.1:8080/api/v1/auth/register', { method: 'POST', headers, body });
    if (![201, 409].includes(answer.status))
      throw new Error(`${user.username}: ${answer.status} ${await answer.text()}`);
  }
}

async function kubectl(program, args, timeoutMs) {
  const { code, stderr } = await run(program, args, { timeoutMs });
  if (code !== 0) throw new CheckError(`kubectl ${args[0]}: ${lastLine(stderr)}`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      namespace: { type: 'string', default: 'bluewave' },
      release: { type: 'string', default: 'bluewave' },
    },
  });
  await prepare(['packages/dev-env']);
  const users = new URL('../../packages/dev-env/dist/platform/seed-users.js', import.meta.url);
  const { seededUsers } = await import(users.href);
  const { kubectl: program } = await findKubernetesTools();
  const scope = ['--namespace', values.namespace];
  const deployments = ['auth', 'gateway'].map((service) => `deployment/${values.release}-${service}`);
  for (const deployment of deployments) {
    const args = ['rollout', 'status', deployment, ...scope, `--timeout=${patienceSeconds}s`];
    await kubectl(program, args, (patienceSeconds + 10) * 1_000);
  }
  const code = `await (${register.toString()})(${JSON.stringify(seededUsers)})`;
  const inside = ['exec', deployments[1], ...scope, '--', 'node', '--input-type=module', '--eval', code];
  await kubectl(program, inside, 30_000);
  const lines = seededUsers.map(({ username, password }) => `  ${username.padEnd(8)}${password}`);
  process.stdout.write(`\nLog in at http://localhost:8080/docs as\n${lines.join('\n')}\n\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    // The deployment stands; only the accounts are missing.
    process.stdout.write(`demo logins: ${error instanceof CheckError ? error.message : error.stack}\n`);
  }
}
