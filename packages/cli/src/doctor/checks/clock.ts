import type { Door } from '../door-client.ts';
import { failed, type Finding, ok, unchecked, warning } from '../finding.ts';

const check = 'clock';
/** The header has whole seconds. */
const grainMs = 1_000;
const warnMs = 2_000;
const failMs = 30_000;
const fix = 'Run NTP (chrony) on the nodes and here: tokens, codes and leases compare times.';

/** How far the clock of the door is from this machine's, by the Date of an answer. */
export async function checkClock(door: Door): Promise<Finding[]> {
  const begin = Date.now();
  const { headers, ms } = await door.ask('GET', '/api/v1/health');
  const stated = Date.parse(headers.date ?? '');
  if (Number.isNaN(stated)) return [unchecked(check, 'the answer has no Date', 'Let the proxy pass the header on.')];
  // It was stamped at some moment of the round trip, and cut to the second: the least distance that explains it.
  const [earliest, latest] = [stated, stated + grainMs];
  const [sent, received] = [begin, begin + ms];
  const skew = Math.round(earliest > received ? earliest - received : Math.min(0, latest - sent));
  const says = `the server is ${Math.abs(skew)} ms ${skew > 0 ? 'ahead of' : 'behind'} this machine`;
  if (Math.abs(skew) >= failMs) return [failed(check, says, fix)];
  if (Math.abs(skew) >= warnMs) return [warning(check, says, fix)];
  return [ok(check, 'within a second of this machine')];
}
