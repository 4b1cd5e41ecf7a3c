import { checkBucket } from './checks/bucket.ts';
import { checkClock } from './checks/clock.ts';
import { checkCors } from './checks/cors.ts';
import { checkDoor } from './checks/door.ts';
import { checkFcm } from './checks/fcm.ts';
import { checkMessage, signIn } from './checks/message.ts';
import { checkMongo } from './checks/mongodb.ts';
import { checkNats } from './checks/nats.ts';
import { checkRedis } from './checks/redis.ts';
import { checkTls } from './checks/tls.ts';
import { checkWebSocket } from './checks/web-socket.ts';
import { failed, type Finding, reasonOf, unchecked } from './finding.ts';
import { Door } from './door-client.ts';
import type { DoctorOptions } from './options.ts';

const beyondDoor = ['WebSocket', 'clock', 'CORS of the gateway', 'message', 'bucket'];

/** Looks at everything that can be looked at with these options. Never rejects: what went wrong is a finding. */
export async function examine(options: DoctorOptions): Promise<Finding[]> {
  const door = new Door(options);
  const findings = [...(await guarded('TLS', () => checkTls(options)))];
  const answers = await guarded('door', () => checkDoor(door));
  findings.push(...answers);
  if (answers.some(({ state }) => state === 'failed')) {
    findings.push(...beyondDoor.map((check) => unchecked(check, 'the door does not answer', 'First mend the door.')));
  } else {
    findings.push(...(await throughTheDoor(door, options)));
  }
  findings.push(...(await guarded('MongoDB', () => checkMongo(options.mongodbUrl))));
  findings.push(...(await guarded('Redis', () => checkRedis(options.redisUrl))));
  findings.push(...(await guarded('NATS', () => checkNats(options.natsUrl, options.natsMonitorUrl))));
  findings.push(...(await guarded('FCM', () => checkFcm(options))));
  door.close();
  return findings;
}

async function throughTheDoor(door: Door, options: DoctorOptions): Promise<Finding[]> {
  const findings = [
    ...(await guarded('WebSocket', () => checkWebSocket(options))),
    ...(await guarded('clock', () => checkClock(door))),
    ...(await guarded('CORS of the gateway', () => checkCors(door, options.origin))),
  ];
  if (!options.message) {
    const fix = 'Leave --no-message out.';
    return [...findings, ...['message', 'bucket'].map((one) => unchecked(one, 'nobody was signed in', fix))];
  }
  const pair = await signIn(door, options.accounts);
  if ('finding' in pair) {
    return [...findings, pair.finding, unchecked('bucket', 'nobody is signed in', 'First mend signing in.')];
  }
  findings.push(...(await guarded('message', () => checkMessage(door, pair, options))));
  findings.push(...(await guarded('bucket', () => checkBucket(door, pair.sender, options.origin))));
  return findings;
}

/** What a check did not foresee is a failure of what it checks, and does not end the others. */
async function guarded(check: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [failed(check, reasonOf(error), 'Look into the logs of the service behind it at this time.')];
  }
}
