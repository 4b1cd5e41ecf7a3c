import { readFileSync } from 'node:fs';
import { systemCode } from '../platform-error.ts';

/**
 * When a process began, in an opaque unit: together with its pid it tells a process from a later one that got the same
 * pid. Null where the system does not say (no /proc), or the process is gone.
 */
export const startTimeOf = (pid: number): string | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold spaces; the 22nd is the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH') return null;
    throw error;
  }
};

/** A process as it was when it was noted. */
export type ProcessIdentity = { pid: number; startTime: string | null };

/** Notes who has this pid now. */
export const identify = (pid: number): ProcessIdentity => ({ pid, startTime: startTimeOf(pid) });

/** Whether that very process still runs (a zombie does not). */
export const isAlive = (identity: ProcessIdentity): boolean => {
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
  return identity.startTime === null || startTimeOf(identity.pid) === identity.startTime;
};

/** Sends a signal to that very process; a process that is gone is no error. */
export const signalProcess = (identity: ProcessIdentity, signal: NodeJS.Signals): void => {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
};
