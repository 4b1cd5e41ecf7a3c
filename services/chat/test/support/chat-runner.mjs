// The chat service as a process of its own, for tests that kill it: what to run comes on argv as JSON, ports go to
// stdout. It runs what was built. With `dieAt` it kills itself around one of its accesses to the stores.
import { startChat } from '@bluewave/chat/server';
import { createLogger } from '@bluewave/runtime/logger';

const { config, timings, dieAt } = JSON.parse(process.argv[2]);

let accesses = 0;
const die = () => process.kill(process.pid, 'SIGKILL');

/** A store whose every access is counted; looking for dead boots is not, since it goes on all the time. */
const watched = (store) =>
  Object.fromEntries(
    Object.entries(store).map(([name, access]) => [
      name,
      async (...parameters) => {
        if (name !== 'claim') accesses += 1;
        const mine = accesses;
        if (mine === dieAt?.access && dieAt.when === 'before') die();
        const result = await access(...parameters);
        if (mine === dieAt?.access && dieAt.when === 'after') die();
        return result;
      },
    ]),
  );

const wrapStores = ({ entries, boots, projections }) => ({
  entries: watched(entries),
  boots: watched(boots),
  projections: watched(projections),
});

const log = createLogger('chat', process.env.TEST_LOG_LEVEL ?? 'silent');
const chat = await startChat(config, log, { timings, wrapStores });
process.stdout.write(`${JSON.stringify({ grpcPort: chat.grpcPort })}\n`);
// Who started it is gone: so is its pipe, and with it this process.
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
