import type { FaultyLinks } from './faulty-link.ts';
import { ownLinks } from './faulty-proxy.ts';
import { startToxiproxy } from './toxiproxy.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Links through toxiproxy, or, where it cannot be had, through our own proxy, which is then said. */
export async function openLinks(random: () => number): Promise<FaultyLinks> {
  const links = await startToxiproxy(say);
  if (links) return links;
  say('Faulty networks: using our own proxy (install toxiproxy-server or Go for toxiproxy).');
  return ownLinks(random);
}
