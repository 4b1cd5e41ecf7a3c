import mongoose from 'mongoose';
import { failed, type Finding, ok, reasonOf, unchecked, warning } from '../finding.ts';

const check = 'MongoDB';
const connectMs = 5_000;
const skewMs = 2_000;
const oplogHours = 24;

type Member = { name: string; health: number; stateStr: string; optimeDate?: Date };
type Config = { members: { votes?: number; arbiterOnly?: boolean }[]; writeConcernMajorityJournalDefault?: boolean };

/** Whether what is acknowledged survives the loss of a server. */
export async function checkMongo(url: string | undefined): Promise<Finding[]> {
  if (url === undefined) {
    return [unchecked(check, 'durability is not known', '--mongodb-url, from where it can be reached (port-forward).')];
  }
  const client = new mongoose.mongo.MongoClient(url, {
    serverSelectionTimeoutMS: connectMs,
    connectTimeoutMS: connectMs,
    appName: 'bluewave doctor',
  });
  try {
    const hello = await client.db('admin').command({ hello: 1 });
    if (hello['msg'] === 'isdbgrid') return [shardedAdvice];
    if (typeof hello['setName'] !== 'string') {
      const fix = 'Start mongod with --replSet and run rs.initiate(): Bluewave refuses to run on this.';
      return [failed(check, 'a standalone server: nothing is majority-committed', fix)];
    }
    return [...(await members(client)), clockOf(hello), await oplog(client)];
  } catch (error) {
    return [failed(check, reasonOf(error), 'Correct --mongodb-url; through a port-forward add directConnection=true.')];
  } finally {
    await client.close();
  }
}

const shardedAdvice = unchecked(
  check,
  'a sharded cluster: its members are not seen through mongos',
  'Run this against each shard and the config servers with directConnection=true.',
);

async function members(client: mongoose.mongo.MongoClient): Promise<Finding[]> {
  const admin = client.db('admin');
  let config: Config;
  let status: Member[];
  try {
    config = (await admin.command({ replSetGetConfig: 1 }))['config'] as Config;
    status = (await admin.command({ replSetGetStatus: 1 }))['members'] as Member[];
  } catch (error) {
    return [unchecked(check, reasonOf(error), 'Give --mongodb-url a user with the role clusterMonitor.')];
  }
  return [journal(config), redundancy(config), health(status)];
}

function journal({ writeConcernMajorityJournalDefault: journaled }: Config): Finding {
  if (journaled !== false) return ok(check, 'a majority acknowledges from its journal');
  const fix = 'Set writeConcernMajorityJournalDefault: true by rs.reconfig(), and run every member with its journal.';
  return failed(check, 'a majority may acknowledge from memory: a power failure loses what was acknowledged', fix);
}

function redundancy({ members: all }: Config): Finding {
  const bearing = all.filter(({ votes, arbiterOnly }) => votes !== 0 && arbiterOnly !== true).length;
  const arbiters = all.filter(({ arbiterOnly }) => arbiterOnly === true).length;
  if (bearing >= 3) return ok(check, `${bearing} voting members that hold data`);
  const fix = 'Run three voting members that hold data, in three zones, and no arbiter.';
  const says = `${bearing} voting member${bearing === 1 ? '' : 's'} with data${arbiters ? `, ${arbiters} arbiter` : ''}`;
  return warning(check, `${says}: the loss of one server stops writes or loses data`, fix);
}

function health(all: Member[]): Finding {
  const serving = ['PRIMARY', 'SECONDARY', 'ARBITER'];
  const sick = all.filter(({ health, stateStr }) => health !== 1 || !serving.includes(stateStr));
  if (sick.length > 0) {
    const names = sick.map(({ name, stateStr }) => `${name} is ${stateStr}`).join(', ');
    return failed(check, names, 'Bring these members back; rs.status() says why they are so.');
  }
  const primary = all.find(({ stateStr }) => stateStr === 'PRIMARY')?.optimeDate?.getTime();
  const lags = all.map(({ optimeDate }) => (primary ?? 0) - (optimeDate?.getTime() ?? primary ?? 0));
  const lag = Math.max(0, ...lags);
  if (lag <= 10_000) return ok(check, `every member is well, ${lag / 1_000} s behind at most`);
  return warning(check, `a member is ${lag / 1_000} s behind`, 'Look at its disk and network: majority writes wait.');
}

function clockOf(hello: mongoose.mongo.Document): Finding {
  const skew = Math.abs((hello['localTime'] as Date).getTime() - Date.now());
  if (skew < skewMs) return ok('clock of MongoDB', 'within two seconds of this machine');
  return warning('clock of MongoDB', `${skew} ms from this machine`, 'Run NTP (chrony) on its nodes.');
}

/** How far back the oplog reaches: so long may a member be away, and so far apart may backups be. */
async function oplog(client: mongoose.mongo.MongoClient): Promise<Finding> {
  try {
    const log = client.db('local').collection('oplog.rs');
    const [first] = await log.find({}).sort({ $natural: 1 }).limit(1).toArray();
    const [last] = await log.find({}).sort({ $natural: -1 }).limit(1).toArray();
    const stats = await client.db('local').command({ collStats: 'oplog.rs' });
    const seconds =
      ((last?.['ts'] as mongoose.mongo.Timestamp)?.t ?? 0) - ((first?.['ts'] as mongoose.mongo.Timestamp)?.t ?? 0);
    const full = Number(stats['size']) >= Number(stats['maxSize']) * 0.9;
    const hours = Math.round(seconds / 360) / 10;
    if (!full || hours >= oplogHours) return ok('oplog', full ? `reaches back ${hours} h` : 'is not full yet');
    const fix = `Raise it with replSetResizeOplog until it reaches back ${oplogHours} h.`;
    return warning('oplog', `reaches back ${hours} h only`, fix);
  } catch (error) {
    return unchecked('oplog', reasonOf(error), 'Give --mongodb-url a user who may read local (clusterMonitor).');
  }
}
