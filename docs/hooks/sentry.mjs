// Faults of the platform to Sentry, or to anything else that takes its envelopes, without a package of theirs.
// SENTRY_DSN: https://<key>@<host>/<project>. "Error tracking" in docs/operations.md says how to install it.
import { randomUUID } from 'node:crypto';

const dsn = new URL(process.env.SENTRY_DSN);
const [, path, project] = /^(.*)\/([^/]+)$/.exec(dsn.pathname);
const endpoint = `${dsn.protocol}//${dsn.host}${path}/api/${project}/envelope/`;
const headers = {
  'content-type': 'application/x-sentry-envelope',
  'x-sentry-auth': `Sentry sentry_version=7, sentry_client=bluewave/1, sentry_key=${dsn.username}`,
};

/** Hands one fault on. Called by the service, which gives it 5 s and does not wait for it. */
export async function report(error, { service, level, message, traceId, ...extra }) {
  const event = {
    event_id: randomUUID().replaceAll('-', ''),
    timestamp: Date.now() / 1_000,
    platform: 'node',
    level,
    logger: service,
    server_name: process.env.HOSTNAME,
    environment: process.env.BLUEWAVE_ENV,
    tags: { service, traceId },
    extra: { ...extra, message },
    exception: { values: causesOf(error).reverse().map(describe) },
  };
  const { event_id } = event;
  const lines = [{ event_id, dsn: dsn.href }, { type: 'event' }, event].map((part) => JSON.stringify(part));
  const body = `${lines.join('\n')}\n`;
  const response = await fetch(endpoint, { method: 'POST', headers, body, signal: AbortSignal.timeout(4_000) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`Sentry answered ${response.status}`);
}

function causesOf(error) {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}

/** Sentry lists the innermost call last. */
function describe({ name, message, stack = '' }) {
  const calls = [...stack.matchAll(/^ +at (?:(.+) \()?(.+?):(\d+):(\d+)\)?$/gm)];
  const frames = calls.reverse().map(([, called, filename, line, column]) => ({
    function: called ?? '<anonymous>',
    filename,
    lineno: Number(line),
    colno: Number(column),
    in_app: !filename.includes('node_modules') && !filename.startsWith('node:'),
  }));
  return { type: name, value: message, stacktrace: { frames } };
}
