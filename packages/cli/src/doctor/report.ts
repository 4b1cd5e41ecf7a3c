import type { Finding, State } from './finding.ts';

const words: Record<State, string> = { ok: 'ok', warning: 'WARNING', failed: 'FAILED', unchecked: 'not checked' };
const width = 12;

/** The findings for people: one line each, and below it what to do. */
export function asText(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, state, what, fix }) => [
    `${words[state].padEnd(width)}${check}: ${what}`,
    ...(fix === undefined ? [] : [`${' '.repeat(width)}-> ${fix}`]),
  ]);
  const count = (state: State): number => findings.filter((one) => one.state === state).length;
  const sum = `${count('ok')} ok, ${count('warning')} warnings, ${count('failed')} failed, ${count('unchecked')} not checked`;
  return `${[...lines, '', sum].join('\n')}\n`;
}
