import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../src/paths.ts';

type Result = { title: string; status: string; failureMessages: string[] };
type Report = { testResults: { assertionResults: Result[] }[] };

/** The larger file runs first. */
const suites = {
  'first.test.ts': `import { expect, it, jest } from '@jest/globals';
type Value = { is: number };
it('passes', () => expect<Value>({ is: 1 }).toEqual({ is: 1 }));
it('fails', () => {
  const value: Value = { is: 1 };
  expect(value).toEqual({ is: 2 });
});
it('lets a promise reject', async () => {
  void Promise.reject(new Error('nobody waits for this'));
  await new Promise((resolve) => setTimeout(resolve, 20));
});
it('waits for ever', () => new Promise<void>(() => undefined), 50);
it('changes what it shares with others', () => {
  process.env['LEFT_BEHIND'] = 'yes';
  delete process.env['PATH'];
  console.log = () => undefined;
  jest.useFakeTimers({ now: 0 });
});
`,
  'then.test.ts': `import { AsyncResource } from 'node:async_hooks';
import { expect, it } from '@jest/globals';
it('finds it as it was', () => {
  expect([process.env['LEFT_BEHIND'], typeof process.env['PATH']]).toEqual([undefined, 'string']);
  expect(Date.now()).toBeGreaterThan(1_000_000_000_000);
});
it('carries no context of an earlier suite along', () => {
  const carried = Object.getOwnPropertySymbols(new AsyncResource('any')).map((symbol) => symbol.description);
  expect(carried.filter((name) => name === 'kResourceStore').length).toBeLessThanOrEqual(1);
});
`,
};

describe('given suites that run one after the other in one process', () => {
  let folder: string;
  const results = new Map<string, Result>();
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'bluewave-suites-'));
    for (const [name, text] of Object.entries(suites)) writeFileSync(path.join(folder, name), text);
    for (const one of await runJest(folder)) results.set(one.title, one);
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const failureOf = (title: string) => results.get(title)?.failureMessages.join('\n');

  it('when tests fail, then each is told, with its line', () => {
    expect(results.get('passes')).toMatchObject({ status: 'passed' });
    expect(failureOf('fails')).toMatch(/first\.test\.ts:6:17/);
    expect(failureOf('lets a promise reject')).toContain('nobody waits for this');
    expect(failureOf('waits for ever')).toContain('Exceeded timeout of 50 ms');
  });

  it('when one changes what they share, then the next finds it as it was', () => {
    expect(results.get('changes what it shares with others')).toMatchObject({ status: 'passed' });
    expect(results.get('finds it as it was')).toMatchObject({ status: 'passed' });
    expect(results.get('carries no context of an earlier suite along')).toMatchObject({ status: 'passed' });
  });
});

/** Runs what a folder holds by the runner that these tests run by. @returns how each test ended */
async function runJest(folder: string): Promise<Result[]> {
  const own = (name: string) => path.join(projectRoot, 'packages/dev-env/jest', name);
  const config = {
    rootDir: folder,
    testEnvironment: own('environment.mjs'),
    testRunner: own('test-runner.mjs'),
    transform: {},
  };
  const file = path.join(folder, 'report.json');
  const flags = ['--config', JSON.stringify(config), '--runInBand', '--json', '--outputFile', file, '--silent'];
  const jest = path.join(projectRoot, 'node_modules/jest/bin/jest.js');
  // It ends with a code other than 0, since tests fail: what they were is in the report.
  await new Promise((resolve) =>
    execFile(process.execPath, [jest, ...flags], { cwd: folder, timeout: 50_000 }, resolve),
  );
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  return report.testResults.flatMap(({ assertionResults }) => assertionResults);
}
