import { spawn } from 'node:child_process';

/** How a tool ended. `code` is null when it could not be started, timed out or was killed. */
export type ToolResult = { code: number | null; output: string };

/** What a run of a tool may be told. `env` is its whole environment. */
export type ToolOptions = {
  cwd?: string;
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
};

/**
 * Runs a tool (apt-get, pip, go...) to its end and gathers what it says, stdout and stderr together. Never throws for a
 * failing or missing tool: the result says so.
 */
export const runTool = (command: string, args: readonly string[], options: ToolOptions): Promise<ToolResult> =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: options.env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    // Not the `timeout` of spawn: its timer outlives a program that could not be started.
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    const end = (result: ToolResult): void => {
      clearTimeout(timer);
      resolve(result);
    };
    let output = '';
    const gather = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-100_000);
    };
    child.stdout.on('data', gather);
    child.stderr.on('data', gather);
    child.once('error', (error) => end({ code: null, output: `${output}${error.message}` }));
    child.once('close', (code) => end({ code, output }));
  });
