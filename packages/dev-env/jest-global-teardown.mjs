import { once } from 'node:events';

/** Ends the engines that the global setup started, and waits until they have. */
export default async function globalTeardown() {
  const engines = globalThis.bluewaveEngines;
  if (!engines || engines.exitCode !== null) return;
  engines.ref();
  const ended = once(engines, 'exit');
  engines.stdin.end();
  await ended;
}
