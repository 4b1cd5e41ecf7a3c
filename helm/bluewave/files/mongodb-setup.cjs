// Makes a bundled mongod a replica set of one with a user per service, and nothing that is there already.
// Members of a replica set know one internal user by their key file: it works before any other user exists.
//   HOST  host:port of the mongod, as clients will call it      KEY  what its key file holds
//   OWNERS  the services that own a database, comma separated    PASSWORD_<SERVICE>  the password of each
'use strict';
const { createRequire } = require('node:module');

// The driver that mongoose brings, wherever npm put it.
const ofAuth = createRequire('/app/services/auth/package.json');
const { MongoClient } = createRequire(ofAuth.resolve('mongoose'))('mongodb');

const { HOST, KEY, OWNERS } = process.env;
const deadline = Date.now() + 300_000;
const pause = () => new Promise((resolve) => setTimeout(resolve, 1_000));
const alreadyInitialized = 23;
const userExists = 51003;

async function connect() {
  const client = new MongoClient(`mongodb://${HOST}/?directConnection=true`, {
    auth: { username: '__system', password: KEY },
    authSource: 'local',
    authMechanism: 'SCRAM-SHA-256',
    serverSelectionTimeoutMS: 5_000,
    socketTimeoutMS: 20_000,
  });
  return client.connect();
}

/** Runs a command; an error with the given code means that its work is done already. */
async function unlessDone(run, code) {
  try {
    await run();
    return true;
  } catch (error) {
    if (error.code === code) return false;
    throw error;
  }
}

async function awaitPrimary(admin) {
  for (;;) {
    const hello = await admin.command({ hello: 1 });
    if (hello.isWritablePrimary) return;
    if (Date.now() > deadline) throw new Error('the replica set has no primary');
    await pause();
  }
}

async function setUp(client) {
  const admin = client.db('admin');
  const config = { _id: 'rs0', members: [{ _id: 0, host: HOST }] };
  const made = await unlessDone(() => admin.command({ replSetInitiate: config }), alreadyInitialized);
  console.log(made ? 'replica set made' : 'replica set is there');
  await awaitPrimary(admin);
  for (const service of OWNERS.split(',')) {
    const pwd = process.env[`PASSWORD_${service.toUpperCase()}`];
    const db = `bluewave_${service}`;
    const roles = [
      { role: 'readWrite', db },
      { role: 'dbAdmin', db },
    ];
    const created = await unlessDone(() => admin.command({ createUser: service, pwd, roles }), userExists);
    if (!created) await admin.command({ updateUser: service, pwd, roles });
    console.log(`user ${service} ${created ? 'made' : 'is there'}`);
  }
}

async function main() {
  for (;;) {
    let client;
    try {
      client = await connect();
      await setUp(client);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      console.log(`trying again: ${error.message}`);
      await pause();
    } finally {
      await client?.close();
    }
  }
}

main().catch((error) => {
  console.error(`mongodb-setup: ${error.message}`);
  process.exit(1);
});
