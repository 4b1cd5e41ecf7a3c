import type { Door } from '../door-client.ts';
import { failed, type Finding, ok, reasonOf, warning } from '../finding.ts';

const check = 'door';
const slowMs = 1_000;

/** Whether the gateway answers, and is the gateway. */
export async function checkDoor(door: Door): Promise<Finding[]> {
  const answer = await door.ask('GET', '/api/v1/health').catch((error: unknown) => reasonOf(error));
  if (typeof answer === 'string') {
    const fix =
      'Check DNS, load balancer and ingress, and `kubectl get pods,endpointslices` for a gateway that is ready.';
    return [failed(check, `${door.url.origin} does not answer: ${answer}`, fix)];
  }
  const { status, body, ms, headers } = answer;
  if (status >= 300 && status < 400) {
    return [failed(check, `redirects to ${headers.location}`, 'Give that address as --url.')];
  }
  if (status === 503 || status === 502) {
    return [failed(check, `answers ${status}`, 'No gateway is ready: `kubectl get pods`, then the logs of a gateway.')];
  }
  if (status !== 200 || !body.toString('utf8').includes('"status"')) {
    const fix = 'Something else answers at this address: route all paths of the host to the Service of the gateway.';
    return [failed(check, `/api/v1/health answered ${status} and is not ours`, fix)];
  }
  return [...partsOf(body), speed(ms)];
}

function speed(ms: number): Finding {
  if (ms > slowMs) return warning(check, `answers after ${Math.round(ms)} ms`, 'Look at the CPU of gateway and proxy.');
  return ok(check, `answers in ${Math.round(ms)} ms`);
}

/** What the gateway says of its parts; one that is down is a failure by itself. */
function partsOf(body: Buffer): Finding[] {
  const { parts = {} } = JSON.parse(body.toString('utf8')) as { parts?: Record<string, string> };
  const down = Object.keys(parts).filter((name) => parts[name] !== 'up');
  if (down.length === 0) return [ok('parts', `${Object.keys(parts).join(', ')} are up`)];
  const fix = 'See their pods and logs, and "When an engine is lost" in docs/operations.md.';
  return [warning('parts', `${down.join(', ')} cannot be reached from the gateway`, fix)];
}
