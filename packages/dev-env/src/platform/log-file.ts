import { appendFile } from 'node:fs';

/**
 * Appends lines to a file, those of one turn at once and one write at a time. A log that cannot be written (a full disk)
 * must not stop the service: its lines are dropped.
 */
export const logFile = (path: string): ((line: string) => void) => {
  let waiting = '';
  let writing = false;
  const write = (): void => {
    const text = waiting;
    waiting = '';
    appendFile(path, text, { mode: 0o600 }, () => {
      if (waiting === '') writing = false;
      else write();
    });
  };
  return (line) => {
    waiting += `${line}\n`;
    if (writing) return;
    writing = true;
    setImmediate(write);
  };
};
