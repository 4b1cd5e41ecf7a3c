import { readFileSync } from 'node:fs';

/** Resident memory of a process in bytes. Linux only. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Looks at a process every 100 ms. @returns what ends it and tells the most it held. */
export function watchPeak(pid: number): () => number {
  let peak = residentBytes(pid);
  const timer = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), 100);
  return () => {
    clearInterval(timer);
    return Math.max(peak, residentBytes(pid));
  };
}
