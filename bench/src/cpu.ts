import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export type NamedProcess = { name: string; pid: number };

let ticks: number | undefined;
const ticksPerSecond = (): number => (ticks ??= Number(execFileSync('getconf', ['CLK_TCK']).toString()));

/** CPU seconds that each process has used so far, user and system. Linux only. */
export function cpuSeconds(processes: readonly NamedProcess[]): Map<string, number> {
  return new Map(
    processes.map(({ name, pid }) => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [name, (Number(fields[11]) + Number(fields[12])) / ticksPerSecond()];
    }),
  );
}

/** Microseconds of CPU per message, by process and in total. */
export function cpuPerMessage(
  before: Map<string, number>,
  after: Map<string, number>,
  messages: number,
): { total: number; byProcess: Record<string, number> } {
  const byProcess: Record<string, number> = {};
  let total = 0;
  for (const [name, seconds] of after) {
    const used = ((seconds - (before.get(name) ?? 0)) * 1e6) / Math.max(1, messages);
    byProcess[name] = Math.round(used * 10) / 10;
    total += used;
  }
  return { total: Math.round(total * 10) / 10, byProcess };
}
