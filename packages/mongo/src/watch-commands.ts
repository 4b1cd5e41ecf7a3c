import { type Clock, systemClock } from '@bluewave/runtime/clock';
import type { Logger } from '@bluewave/runtime/logger';
import { currentTraceId } from '@bluewave/runtime/trace';
import type { Connection, mongo } from 'mongoose';
import { Counter, Histogram, type Registry } from 'prom-client';

/** Commands that take longer are logged and counted; `slowMs` 0 leaves commands alone. */
export type CommandWatch = { slowMs: number; metrics: Registry; clock?: Clock };

/** A server that is slow with everything must not make the log its next problem. */
const linesASecond = 10;
/** A start waits for these, as long as they take. */
const slowByNature = new Set(['createIndexes']);

/** What is slow is named by command and collection: a query holds what people wrote. */
export type SlowCommand = { command: string; collection: string | undefined; ms: number; failed: boolean };

/**
 * Times every command that the driver sends, from the socket's point of view: waiting for a connection is not in it.
 * For as long as the connection lives.
 */
export function watchCommands(connection: Connection, watch: CommandWatch, log: Logger): void {
  const { slowMs, metrics, clock = systemClock } = watch;
  const client = connection.getClient();
  const times = commandTimes(metrics);
  const tellSlow = slowTeller(metrics, log, clock);
  const collections = new Map<number, string | undefined>();
  client.on('commandStarted', ({ requestId, commandName, command }) => {
    collections.set(requestId, collectionOf(commandName, command));
  });
  const ended = ({ requestId, commandName, duration }: Ended, failed: boolean): void => {
    const collection = collections.get(requestId);
    collections.delete(requestId);
    times(commandName, duration / 1_000);
    if (duration >= slowMs && !slowByNature.has(commandName))
      tellSlow({ command: commandName, collection, ms: Math.round(duration), failed });
  };
  client.on('commandSucceeded', (event) => ended(event, false));
  client.on('commandFailed', (event) => ended(event, true));
}

type Ended = Pick<mongo.CommandSucceededEvent, 'requestId' | 'commandName' | 'duration'>;

/** Where a command names its collection. Commands to the server itself have a number there. */
function collectionOf(name: string, command: mongo.Document): string | undefined {
  const named: unknown = name === 'getMore' ? command['collection'] : command[name];
  return typeof named === 'string' ? named : undefined;
}

function commandTimes(metrics: Registry): (command: string, seconds: number) => void {
  const histogram = new Histogram({
    name: 'bluewave_mongodb_command_seconds',
    help: 'Time from a command to its answer, by command',
    labelNames: ['command'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [metrics],
  });
  // Children are kept: looking one up by its labels costs more than counting.
  const children = new Map<string, { observe(seconds: number): void }>();
  return (command, seconds) => {
    let child = children.get(command);
    if (!child) children.set(command, (child = histogram.labels(command)));
    child.observe(seconds);
  };
}

/** Counts all, and logs as many as may be told; a line says how many before it were not. */
function slowTeller(metrics: Registry, log: Logger, clock: Clock): (slow: SlowCommand) => void {
  const counter = new Counter({
    name: 'bluewave_mongodb_slow_commands_total',
    help: 'Commands that took SLOW_QUERY_MS or longer, by command and collection',
    labelNames: ['command', 'collection'],
    registers: [metrics],
  });
  let [second, lines, untold] = [0, 0, 0];
  return (slow) => {
    counter.inc({ command: slow.command, collection: slow.collection ?? '' });
    const now = Math.floor(clock() / 1_000);
    if (now !== second) [second, lines] = [now, 0];
    if ((lines += 1) > linesASecond) {
      untold += 1;
      return;
    }
    const { failed, ...fields } = slow;
    const more = { ...(failed ? { failed } : {}), ...(untold > 0 ? { untold } : {}) };
    log.warn({ ...fields, ...more, traceId: currentTraceId() }, 'a MongoDB command was slow');
    untold = 0;
  };
}
