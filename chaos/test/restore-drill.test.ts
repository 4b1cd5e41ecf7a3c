import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BareEngine, bareReplicaSet } from '@bluewave/dev-env/engines/bare-engine';
import { mongodUrl } from '@bluewave/dev-env/engines/mongod';
import { freePort } from '@bluewave/dev-env/net/free-port';
import { type Platform, startPlatform } from '@bluewave/dev-env/platform';
import mongoose from 'mongoose';
import { ChaosClient } from '../src/chaos-client.ts';
import { checkLedger, isClean } from '../src/check-ledger.ts';
import { pick, seededRandom } from '../src/random.ts';
import { restUntil } from '../src/rest.ts';
import { type Scene, setScene } from '../src/scene.ts';
import { ledgerOf, readLogs, settleClients, waitFor } from '../src/settle.ts';
import { restoreSnapshot, takeSnapshot } from '../src/snapshot.ts';

const folder = mkdtempSync(join(tmpdir(), 'bluewave-restore-'));
const snapshot = join(folder, 'snapshot');
let port = 0;
let mongod: BareEngine;
let platform: Platform;

/** Redis and NATS keep what they had: after a restore they know more than the record does. */
const startAgain = (): Promise<Platform> =>
  startPlatform({ dataDir: join(folder, 'data'), limits: false, env: { MONGODB_URL: mongodUrl(port) } });

const newMongod = async (name: string): Promise<BareEngine> => {
  mkdirSync(join(folder, name));
  return bareReplicaSet(join(folder, name), port);
};

const withClient = async (use: (client: mongoose.mongo.MongoClient) => Promise<void>): Promise<void> => {
  const client = new mongoose.mongo.MongoClient(mongodUrl(port));
  try {
    await use(client);
  } finally {
    await client.close();
  }
};

const clientsOf = (scene: Scene): ChaosClient[] =>
  scene.people.map((account, index) => new ChaosClient(account, platform.gateways, seededRandom(index)));

beforeAll(async () => {
  port = await freePort();
  mongod = await newMongod('first');
  platform = await startAgain();
}, 120_000);

afterAll(async () => {
  // A set-up that fails leaves nothing behind either.
  await platform?.stop();
  await mongod?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('the restore drill: dump, wipe, restore', () => {
  it('given a dump taken while people talk, when the record is lost and restored, then the ledger of that moment holds', async () => {
    const scene = await setScene(platform.gateways, 10);
    const before = clientsOf(scene);
    const random = seededRandom(3);
    const talking = setInterval(() => {
      const { id, memberIds } = pick(random, scene.conversations);
      const members = before.filter(({ account }) => memberIds.includes(account.userId));
      pick(random, members).send(id, randomUUID(), `message ${random()}`);
    }, 5);
    await waitFor(60_000, () => ledgerOf(before, scene, []).acked.length > 300);
    const promised = ledgerOf(before, scene, []).acked;
    await withClient((client) => takeSnapshot(client, 'bluewave_', snapshot));
    const afterDump = ledgerOf(before, scene, []).acked.length;
    await waitFor(60_000, () => ledgerOf(before, scene, []).acked.length > afterDump + 100);
    clearInterval(talking);
    await settleClients(before, 30_000);
    const whole = await readLogs(platform.gateways, scene);
    for (const client of before) client.close();

    await platform.stop();
    await mongod.stop();
    rmSync(join(folder, 'first'), { recursive: true });
    mongod = await newMongod('second');
    await withClient((client) => restoreSnapshot(client, snapshot));
    platform = await startAgain();

    const log = await readLogs(platform.gateways, scene);
    const after = clientsOf(scene);
    await settleClients(after, 30_000);
    const ledger = { ...ledgerOf(after, scene, []), acked: promised };
    const verdict = checkLedger(ledger, log);
    expect(verdict.examples).toEqual([]);
    expect(isClean(verdict)).toBe(true);
    let lost = 0;
    for (const [id, entries] of log) {
      expect(entries).toEqual(whole.get(id)?.slice(0, entries.length));
      lost += (whole.get(id)?.length ?? 0) - entries.length;
    }
    // What came after the dump is gone: that is what a restore to an earlier moment means.
    expect(lost).toBeGreaterThanOrEqual(100);

    await goesOn(scene, after, promised);
    for (const client of after) client.close();
  }, 240_000);
});

/** An old send is known, and new ones continue each log where it ends, live and in the log. */
async function goesOn(scene: Scene, clients: ChaosClient[], promised: ChaosClient['acked']): Promise<void> {
  const [known] = promised;
  const sender = scene.people.find(({ userId }) => userId === known?.senderId);
  const path = `/conversations/${known?.conversationId}/messages`;
  const other = { clientMsgId: known?.clientMsgId, text: 'another text' };
  const repeat = await restUntil(platform.gateways, 'POST', path, sender?.token ?? '', other, [201, 409]);
  expect(repeat).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_MISMATCH' } });
  for (const { id, memberIds } of scene.conversations) {
    const member = clients.find(({ account }) => memberIds.includes(account.userId));
    member?.send(id, randomUUID(), 'after the restore');
  }
  await settleClients(clients, 30_000);
  const ledger = ledgerOf(clients, scene, []);
  expect(ledger.acked).toHaveLength(scene.conversations.length);
  const verdict = checkLedger(ledger, await readLogs(platform.gateways, scene));
  expect(verdict.examples).toEqual([]);
  expect(isClean(verdict)).toBe(true);
}
