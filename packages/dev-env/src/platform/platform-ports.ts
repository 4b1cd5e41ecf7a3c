import { freePorts, isPortFree } from '../net/free-port.ts';
import { PlatformError } from '../platform-error.ts';

/** The ports that people know: of the gateways, and of the FCM stand-in with its phones page. */
export type PlatformPorts = { gateways: number[]; fcm: number };

/** The distance from the first gateway to the phones page. */
const FCM_OFFSET = 9;

const from = (first: number, gateways: number): PlatformPorts => ({
  gateways: Array.from({ length: gateways }, (_, index) => first + index),
  fcm: first + FCM_OFFSET,
});

const busyOf = async (ports: PlatformPorts): Promise<number[]> => {
  const busy: number[] = [];
  for (const port of [...ports.gateways, ports.fcm]) if (!(await isPortFree(port))) busy.push(port);
  return busy;
};

/**
 * Chooses the known ports: gateways from `port` on, the FCM stand-in at `port` + 9; any free ones for port 0.
 *
 * @throws PlatformError naming the port that is in use
 */
export const platformPorts = async (port: number, gateways: number): Promise<PlatformPorts> => {
  if (gateways < 1 || gateways > FCM_OFFSET) throw new PlatformError(`There can be 1 to ${FCM_OFFSET} gateways.`);
  if (port === 0) return from(await freePorts(FCM_OFFSET + 1), gateways);
  const ports = from(port, gateways);
  const [busy] = await busyOf(ports);
  if (busy === undefined) return ports;
  throw new PlatformError(`Port ${busy} is in use: stop what uses it, or choose other ports with --port.`);
};
