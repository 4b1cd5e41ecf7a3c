import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { startAdminServer } from '../src/admin-server.ts';
import { CloseStack } from '../src/close-stack.ts';
import { ConfigError, flag, integer, list, readEnvironment, url } from '../src/config.ts';
import { pause, remainingMs, sleep, within } from '../src/deadline.ts';
import { traceIdOf } from '../src/ids.ts';
import { createLogger } from '../src/logger.ts';
import { createMetrics } from '../src/metrics.ts';

describe('reading the environment', () => {
  const shape = z.object({
    PORT: integer(8080, 0, 65_535),
    ECHO: flag(false),
    ORIGINS: list(),
    MONGODB_URL: url('mongodb'),
  });

  it('given good values, then they are typed, with defaults for what is absent or empty', () => {
    const values = readEnvironment(shape, { MONGODB_URL: 'mongodb://db/', ORIGINS: 'a, b,,', ECHO: '', PORT: '1' });
    expect(values).toEqual({ PORT: 1, ECHO: false, ORIGINS: ['a', 'b'], MONGODB_URL: 'mongodb://db/' });
  });

  it('given bad values, then each variable is named in one line, and no value is repeated', () => {
    const read = () => readEnvironment(shape, { PORT: 'many', ECHO: 'yes', MONGODB_URL: 'http://user:secret@db' });
    expect(read).toThrow(ConfigError);
    try {
      read();
    } catch (error) {
      const { message } = error as ConfigError;
      expect(message).toMatch(/PORT: .*ECHO: .*MONGODB_URL: must be a URL that starts with mongodb:\/\//);
      expect(message).not.toMatch(/secret|\n/);
    }
  });
});

describe('the admin server', () => {
  it('given its life, then it is alive at once, ready when told so, and gone after close', async () => {
    const metrics = createMetrics('test');
    const admin = await startAdminServer({ host: '127.0.0.1', port: 0, metrics });
    const status = async (path: string, method = 'GET') =>
      (await fetch(`http://127.0.0.1:${admin.port}${path}`, { method })).status;
    expect([await status('/healthz'), await status('/readyz'), await status('/metrics')]).toEqual([200, 503, 200]);
    admin.setReady(true);
    expect([await status('/readyz'), await status('/nowhere'), await status('/healthz', 'POST')]).toEqual([
      200, 404, 405,
    ]);
    await admin.close();
    await expect(status('/healthz')).rejects.toThrow('fetch failed');
  });
});

describe('letting go', () => {
  it('given parts of which one fails to close, then all are closed, last opened first', async () => {
    const closed: string[] = [];
    const stack = new CloseStack(createLogger('test', 'silent'));
    for (const name of ['first', 'second', 'third']) {
      stack.add(name, {
        close: () => {
          closed.push(name);
          if (name === 'second') throw new Error('stuck');
        },
      });
    }
    await stack.close();
    await stack.close();
    expect(closed).toEqual(['third', 'second', 'first']);
  });
});

describe('deadlines', () => {
  it('given work that is too slow, then the caller is told in time', async () => {
    await expect(within(20, 'The store', new Promise(() => undefined))).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    await expect(within(1_000, 'The store', Promise.resolve(7))).resolves.toBe(7);
    await expect(within(1_000, 'The store', Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });

  it('given what is left of a deadline, then it is at least 1 ms and at most the cap', () => {
    expect([
      remainingMs(1_500, 2_000, 1_000),
      remainingMs(900, 2_000, 1_000),
      remainingMs(9_000, 2_000, 1_000),
    ]).toEqual([500, 1, 2_000]);
  });

  it('given a sleep that is aborted, then it rejects with the reason', async () => {
    const abort = new AbortController();
    const slept = sleep(60_000, abort.signal);
    abort.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
    await expect(sleep(60_000, abort.signal)).rejects.toThrow('enough');
  });

  it('given a pause, then it ends with its time or at once with an abort, and rejects for neither', async () => {
    const abort = new AbortController();
    const startedAt = performance.now();
    await pause(30, abort.signal);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
    const paused = pause(60_000, abort.signal);
    abort.abort(new Error('enough'));
    await expect(paused).resolves.toBeUndefined();
    await expect(pause(60_000, abort.signal)).resolves.toBeUndefined();
  });
});

describe('trace ids', () => {
  it('given a traceparent, then its trace goes on; given none or nonsense, then a new one begins', () => {
    const id = '0af7651916cd43dd8448eb211c80319c';
    expect(traceIdOf(`00-${id}-b7ad6b7169203331-01`)).toBe(id);
    for (const header of [undefined, '', 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`]) {
      expect(traceIdOf(header)).toMatch(/^[0-9a-f]{32}$/);
    }
  });
});

describe('the log', () => {
  it('given records with errors, line breaks and secrets, then each is one line of JSON that a collector can index', () => {
    const lines: string[] = [];
    const log = createLogger('chat', 'info', { write: (line) => void lines.push(line) });
    const err = new Error('outer\nsecond line', { cause: new TypeError('inner') });
    log.error({ err, traceId: 'a1b2', conversationId: 'c1' }, 'it failed\ntwice');
    log.warn({ request: { password: 'hunter2', token: 'eyJ', text: 'a letter', path: '/api/v1/x' } }, 'refused');
    log.debug('not asked for');
    expect(lines.map((line) => [line.indexOf('\n'), line.length - 1])).toEqual(
      lines.map((line) => Array(2).fill(line.length - 1)),
    );
    const [failure, refusal, ...others] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(others).toEqual([]);
    expect(failure).toEqual({
      ...{ level: 'error', service: 'chat', message: 'it failed\ntwice', traceId: 'a1b2', conversationId: 'c1' },
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      err: {
        ...{ type: 'Error', message: 'outer\nsecond line', stack: expect.stringContaining('runtime.test.ts') },
        cause: { type: 'TypeError', message: 'inner', stack: expect.any(String) },
      },
    });
    expect(refusal).toMatchObject({ request: { path: '/api/v1/x', password: '[Redacted]' } });
    expect(lines.join('')).not.toMatch(/hunter2|eyJ|a letter/);
  });
});
