import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ErrorHook } from '../src/error-hook.ts';
import { createLogger, type Logger } from '../src/logger.ts';
import { inTrace } from '../src/trace.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'error-hook-'));
});
afterAll(() => rm(folder, { recursive: true }));

type Opened = { hook: ErrorHook; log: Logger; told: Record<string, unknown>[]; reports: () => Promise<unknown[]> };
let modules = 0;

/** A service's log whose faults go to a module with this body of `report`. It may call `keep(value)`. */
async function open(body: string, reportMs?: number): Promise<Opened> {
  modules += 1;
  const [path, kept] = [join(folder, `${modules}.mjs`), join(folder, `${modules}.jsonl`)];
  await writeFile(
    path,
    `import { appendFileSync } from 'node:fs';
    const keep = (value) => appendFileSync(${JSON.stringify(kept)}, JSON.stringify(value) + '\\n');
    export ${body}`,
  );
  const told: Record<string, unknown>[] = [];
  const output = { write: (line: string) => void told.push(JSON.parse(line) as Record<string, unknown>) };
  const hook = await ErrorHook.load({
    path,
    log: createLogger('chat', 'info', output),
    ...(reportMs ? { reportMs } : {}),
  });
  const log = createLogger('chat', 'info', output, hook);
  const reports = async () => {
    const text = await readFile(kept, 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown);
  };
  return { hook, log, told, reports };
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 250 && !holds(); tries += 1) await pause(20);
  expect(holds()).toBe(true);
}

describe('the error hook', () => {
  it('given faults that are logged, then each is handed on with its trace and fields, and nothing else is', async () => {
    const { hook, log, told, reports } = await open(`async function report(error, context) {
      keep({ name: error.name, message: error.message, cause: error.cause?.message, own: error instanceof Error, context });
    }`);
    const err = new TypeError('broken', { cause: new Error('the disk') });
    log.error({ err, traceId: 'a1', seq: 7, request: { text: 'a letter' } }, 'call failed');
    inTrace('b2', () => log.fatal('it ends'));
    log.error(
      { err: new Error('odd', { cause: { run: () => undefined } }) },
      'with a cause that cannot be handed over',
    );
    log.warn({ err }, 'no fault');
    log.info('nothing');
    await hook.close(5_000);
    expect(await reports()).toEqual([
      {
        ...{ name: 'TypeError', message: 'broken', cause: 'the disk', own: true },
        context: { service: 'chat', level: 'error', message: 'call failed', traceId: 'a1', seq: 7 },
      },
      {
        ...{ name: 'Error', message: 'it ends', own: true },
        context: { service: 'chat', level: 'fatal', message: 'it ends', traceId: 'b2' },
      },
    ]);
    // The log itself is as without a hook.
    expect(told.filter(({ level }) => level === 'error' || level === 'fatal')).toHaveLength(3);
  });

  it.each([
    ['that is not there', undefined, /^ERROR_HOOK .*0\.mjs cannot be used: Cannot find module .*$/],
    ['with a mistake', 'export function report( {', /^ERROR_HOOK .* cannot be used: .*$/],
    ['without a report', 'export const reports = 1;', /cannot be used: it exports no function named report$/],
    ['that throws at once', `throw new Error('SENTRY_DSN is\\n missing')`, /cannot be used: SENTRY_DSN is missing$/],
    ['that ends at once', 'process.exit(0)', /cannot be used: it ended its thread$/],
  ])('given a module %s, then the start fails with one line', async (_, text, says) => {
    const path = join(folder, '0.mjs');
    await rm(path, { force: true });
    if (text !== undefined) await writeFile(path, text);
    const loading = ErrorHook.load({ path, log: createLogger('chat', 'silent') });
    await expect(loading).rejects.toMatchObject({ name: 'ConfigError', message: expect.stringMatching(says) });
  });

  it('given a hook that throws, or forgets a promise that fails, then the service is told by a warning at most', async () => {
    const { hook, log, told } = await open(`function report(error) {
      if (error.message === 'late') Promise.reject(new Error('forgotten'));
      else throw new Error('no network');
    }`);
    log.error(new Error('early'), 'one');
    await until(() => told.length === 2);
    log.error(new Error('late'), 'two');
    log.error(new Error('later'), 'three');
    await pause(200);
    log.error(new Error('latest'), 'four');
    await hook.close(1_000);
    expect(told.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({
        message: 'the error hook does not take what it is given',
        reason: 'no network',
        lost: 1,
      }),
    ]);
    expect(told.filter(({ level }) => level === 'error')).toHaveLength(4);
  });

  it('given a hook that loops for ever, then the service goes on, little is kept for it, and closing does not wait', async () => {
    const { hook, log, told } = await open('function report() { for (;;); }');
    const started = performance.now();
    for (let n = 0; n < 1_000; n += 1) log.error(new Error(`${n}`), 'again');
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(told.filter(({ level }) => level === 'warn')).toMatchObject([
      { lost: 1, reason: 'it has too much in hand' },
    ]);
    await hook.close(100);
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  it('given a hook that never answers, then its time ends and it is asked again', async () => {
    const { hook, log, told, reports } = await open(
      'function report(error) { keep(error.message); return new Promise(() => undefined); }',
      50,
    );
    log.error(new Error('first'), 'one');
    await until(() => told.some(({ reason }) => reason === 'it took longer than 50 ms'));
    log.error(new Error('second'), 'two');
    await hook.close(1_000);
    expect(await reports()).toEqual(['first', 'second']);
  });
});

it('given a process that nobody catches an error of, then its hook is given it before the process ends with 1', async () => {
  const [path, kept] = [join(folder, 'last.mjs'), join(folder, 'last.txt')];
  await writeFile(
    path,
    `import { writeFileSync } from 'node:fs';
    export function report({ message }, context) { writeFileSync('${kept}', message + ' / ' + context.message); }`,
  );
  const service = `
    import { runService } from '@bluewave/runtime/run-service';
    await runService('test', () => ({ logLevel: 'info' }), async () => {
      setTimeout(() => { throw new Error('out of nowhere'); }, 50);
      setInterval(() => undefined, 1_000);
      return { close: async () => undefined };
    });`;
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const child = spawn(process.execPath, ['--input-type=module', '-e', service], {
    ...{ cwd: root, stdio: 'ignore', env: { PATH: process.env['PATH'], ERROR_HOOK: path } },
  });
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(await readFile(kept, 'utf8')).toBe('out of nowhere / uncaught exception');
});

it('given the hook for Sentry, when a fault is handed to it, then Sentry gets an event with stack, cause and tags', async () => {
  const requests: { url: string | undefined; auth: unknown; lines: Record<string, unknown>[] }[] = [];
  const sentry = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const lines = body
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      requests.push({ url: request.url, auth: request.headers['x-sentry-auth'], lines });
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => sentry.listen(0, '127.0.0.1', resolve));
  process.env['SENTRY_DSN'] = `http://public@127.0.0.1:${(sentry.address() as AddressInfo).port}/4711`;
  try {
    const path = fileURLToPath(new URL('../../../docs/hooks/sentry.mjs', import.meta.url));
    const hook = await ErrorHook.load({ path, log: createLogger('chat', 'silent') });
    const log = createLogger('chat', 'error', { write: () => undefined }, hook);
    log.error({ err: new TypeError('broken', { cause: new Error('the disk') }), traceId: 'a1' }, 'call failed');
    await hook.close(5_000);
  } finally {
    delete process.env['SENTRY_DSN'];
    sentry.close();
  }
  const [{ url, auth, lines } = { url: '', auth: '', lines: [] }] = requests;
  expect([url, auth]).toEqual(['/api/4711/envelope/', expect.stringContaining('sentry_key=public')]);
  expect(lines[1]).toEqual({ type: 'event' });
  expect(lines[2]).toMatchObject({
    ...{ level: 'error', logger: 'chat', tags: { service: 'chat', traceId: 'a1' }, extra: { message: 'call failed' } },
    exception: {
      values: [
        { type: 'Error', value: 'the disk' },
        { type: 'TypeError', value: 'broken' },
      ],
    },
  });
  expect(JSON.stringify(lines[2])).toContain('error-hook.test.ts');
});
