import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program said no, or not in time; the message is one line that names it. */
export class CommandError extends Error {
  override name = 'CommandError';
}

/**
 * Runs a program to its end. @returns what it wrote to stdout.
 * @throws CommandError with its last line when it fails, does not start or takes longer than `timeoutMs`
 */
export function runCommand(
  command: string,
  args: readonly string[],
  { timeoutMs = 60_000, input = '' }: { timeoutMs?: number; input?: string } = {},
): Promise<string> {
  const shown = `${command.split('/').at(-1)} ${args.slice(0, 3).join(' ')}`;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new CommandError(`${shown} did not end within ${timeoutMs / 1_000} s`));
    }, timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // A program that ends without reading its input is told by its exit code.
    child.stdin.on('error', () => undefined);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(new CommandError(`${shown} does not start: ${error.message}`));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) return resolve(Buffer.concat(out).toString());
      const said = Buffer.concat(err).toString().trim() || Buffer.concat(out).toString().trim();
      reject(new CommandError(`${shown} failed: ${said.split('\n').slice(-3).join(' | ')}`));
    });
    child.stdin.end(input);
  });
}

/** A program that goes on until it is closed. */
export type Background = { close(): void };

/** Starts a program and resolves with the first line that fits. @throws CommandError when it ends before or is late. */
export function startBackground(
  command: string,
  args: readonly string[],
  fits: RegExp,
  timeoutMs = 20_000,
): Promise<Background & { line: RegExpExecArray }> {
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const close = (): void => void child.kill();
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      close();
      reject(new CommandError(`${command.split('/').at(-1)} ${args.join(' ')}: ${why}`));
    };
    const timer = setTimeout(() => fail(`not ready within ${timeoutMs / 1_000} s`), timeoutMs);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`ended with ${code}`));
    if (!child.stdout || !child.stderr) return fail('has no output');
    child.stderr.resume();
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = fits.exec(text);
      if (!line) return;
      clearTimeout(timer);
      resolve({ line, close });
    });
  });
}
