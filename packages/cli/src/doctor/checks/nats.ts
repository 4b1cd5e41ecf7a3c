import { streams } from '@bluewave/events/subjects';
import { natsTrouble } from '@bluewave/events/nats-trouble';
import { natsServers } from '@bluewave/events/nats-servers';
import { connect, type JetStreamManager, type NatsConnection, StorageType } from 'nats';
import { failed, type Finding, ok, reasonOf, unchecked, warning } from '../finding.ts';

const check = 'NATS';
const connectMs = 5_000;

/** JetStream carries work that can be made anew from the record; durable settings save that making. */
export async function checkNats(url: string | undefined, monitor: string | undefined): Promise<Finding[]> {
  if (url === undefined)
    return [unchecked(check, 'its streams are not known', '--nats-url, from where it can be reached.')];
  let connection: NatsConnection;
  try {
    connection = await connect({ ...natsServers(url), timeout: connectMs, reconnect: false, name: 'bluewave doctor' });
  } catch (error) {
    return [failed(check, natsTrouble(error), 'Start it; messages are kept and delivered by sync meanwhile.')];
  }
  try {
    const manager = await connection.jetstreamManager({ timeout: connectMs });
    const servers = connection.info?.connect_urls?.length ?? 1;
    const found = await Promise.all(Object.values(streams).map(({ name }) => stream(manager, name, servers)));
    return [...found, await syncing(monitor)];
  } catch (error) {
    return [failed(check, natsTrouble(error), 'Notifications and media processing need JetStream.')];
  } finally {
    await connection.close();
  }
}

async function stream(manager: JetStreamManager, name: string, servers: number): Promise<Finding> {
  try {
    const { config, state } = await manager.streams.info(name);
    if (config.storage !== StorageType.File) {
      return failed(
        check,
        `${name} is kept in memory`,
        `Delete it (nats stream rm ${name}): chat and media make it anew.`,
      );
    }
    if (servers > 1 && config.num_replicas === 1) {
      const fix = 'Set NATS_STREAM_REPLICAS=3 in chat.env, media.env and push.env.';
      return warning(check, `${name} is on one server of ${servers}`, fix);
    }
    const copies = `${config.num_replicas} cop${config.num_replicas === 1 ? 'y' : 'ies'}`;
    return ok(check, `${name}: on disk, ${copies}, ${state.messages} messages`);
  } catch (error) {
    const fix = 'Chat and media make the streams at start: see whether they use this NATS and this user.';
    return failed(check, `${name}: ${reasonOf(error)}`, fix);
  }
}

/** By default JetStream syncs to disk every two minutes: what a client was told lasts as long as the page cache. */
async function syncing(monitor: string | undefined): Promise<Finding> {
  const name = 'JetStream sync';
  if (monitor === undefined) return unchecked(name, 'not known', '--nats-monitor http://host:8222');
  const answer = await fetch(new URL('/jsz?config=true', monitor), { signal: AbortSignal.timeout(connectMs) });
  const { config } = (await answer.json()) as { config?: { sync_interval?: number; sync_always?: boolean } };
  if (config?.sync_always === true) return ok(name, 'every message is synced to disk');
  const seconds = config?.sync_interval === undefined ? undefined : config.sync_interval / 1e9;
  const says = seconds === undefined ? 'at an interval that it does not tell' : `every ${seconds} s`;
  const fix = 'Set jetstream { sync_interval: always } (2.10 and later): a power failure then loses no notification.';
  return warning(name, `synced to disk ${says}`, fix);
}
