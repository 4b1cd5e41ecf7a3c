import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Report = {
  numPassedTests: number;
  numTotalTests: number;
  testResults: { assertionResults: { status: string; title: string; failureMessages: string[] }[] }[];
};

const suiteMs = 600_000;

/**
 * Runs the part of the end-to-end suite that needs nothing but a URL against it. @returns how many passed.
 * @throws Error that names the tests that failed
 */
export async function runSuite(root: string, url: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bluewave-suite-'));
  const file = join(folder, 'report.json');
  try {
    await runJest(root, url, file);
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
    const failed = report.testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === 'failed')
      .map(({ title, failureMessages }) => `${title}: ${failureMessages[0]?.split('\n')[0] ?? ''}`);
    if (failed.length > 0 || report.numPassedTests === 0 || report.numPassedTests !== report.numTotalTests) {
      throw new Error(`${failed.length} tests of the suite failed: ${failed.join('; ')}`);
    }
    return `${report.numPassedTests} tests passed`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runJest(root: string, url: string, file: string): Promise<void> {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const args = ['--config', join(root, 'e2e/jest.cluster.config.mjs'), '--json', '--outputFile', file, '--silent'];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [jest, ...args], {
      cwd: root,
      env: { ...process.env, E2E_GATEWAYS: url },
      stdio: 'ignore',
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the suite did not end within ${suiteMs / 1_000} s`));
    }, suiteMs);
    child.once('error', reject);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
