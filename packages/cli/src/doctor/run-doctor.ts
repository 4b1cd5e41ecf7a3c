import { examine } from './examine.ts';
import { type DoctorOptions, readOptions, usage, UsageError } from './options.ts';
import { asText } from './report.ts';

/** `bluewave doctor`. @returns the exit code: 0 nothing failed, 1 something did, 2 wrong arguments */
export async function runDoctor(
  args: string[],
  env: NodeJS.ProcessEnv,
  write: (text: string) => void,
): Promise<number> {
  let options: DoctorOptions | undefined;
  try {
    options = readOptions(args, env);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    write(`${error.message}\n\n${usage}`);
    return 2;
  }
  if (options === undefined) {
    write(usage);
    return 0;
  }
  const findings = await examine(options);
  const failures = findings.filter(({ state }) => state === 'failed').length;
  write(options.json ? `${JSON.stringify({ url: options.url.href, failures, findings })}\n` : asText(findings));
  return failures > 0 ? 1 : 0;
}
