// Runs before each suite. Presence is one set of gateways for all who share a Redis database, each cleaning up after
// the others: suites that run side by side have one each, or their gateways would take each other for neighbours.
const url = process.env.TEST_REDIS_URL;
if (url && new URL(url).pathname.length <= 1) {
  const database = Number(process.env.JEST_WORKER_ID ?? 0) % 16;
  process.env.TEST_REDIS_URL = new URL(`/${database}`, url).href;
}
