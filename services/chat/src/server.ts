import { AckedPublisher } from '@bluewave/events/acked-publisher';
import { EventBus } from '@bluewave/events/event-bus';
import { conversationSignal, userEvent } from '@bluewave/events/codec';
import { ensureStream } from '@bluewave/events/ensure-stream';
import { TroubleLog } from '@bluewave/events/nats-trouble';
import { streams, subjects } from '@bluewave/events/subjects';
import { connectMongo } from '@bluewave/mongo/connect';
import { deadlinedStores } from '@bluewave/mongo/deadlined-stores';
import { watchCalls } from '@bluewave/mongo/watch-calls';
import type { ChatServiceDefinition } from '@bluewave/protos/generated/bluewave/chat/v1/ChatService';
import { startRpcServer } from '@bluewave/rpc/server';
import { loadService } from '@bluewave/rpc/service-definition';
import { startAdminServer } from '@bluewave/runtime/admin-server';
import { type Clock, systemClock } from '@bluewave/runtime/clock';
import { CloseStack } from '@bluewave/runtime/close-stack';
import { sleep } from '@bluewave/runtime/deadline';
import { newId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import { createMetrics } from '@bluewave/runtime/metrics';
import type { RunningService } from '@bluewave/runtime/run-service';
import type { Registry } from 'prom-client';
import type { ChatConfig } from './config.ts';
import { EntryPublisher } from './events/entry-publisher.ts';
import { EntryStream } from './events/entry-stream.ts';
import { HeadsBeacon } from './events/heads-beacon.ts';
import { listenToBlocks, tellBlock } from './events/block-events.ts';
import { listenToMedia } from './events/media-listener.ts';
import type { ChatDeps } from './grpc/chat-deps.ts';
import { CommandStreams } from './grpc/commands.ts';
import { conversationHandlers } from './grpc/conversation-handlers.ts';
import { withFailures } from './grpc/failures.ts';
import { forwardHandlers } from './grpc/forward-handlers.ts';
import { markingHandlers } from './grpc/marking-handlers.ts';
import { memberHandlers } from './grpc/member-handlers.ts';
import { messageHandlers } from './grpc/message-handlers.ts';
import { ownHandlers } from './grpc/own-handlers.ts';
import { peopleHandlers } from './grpc/people-handlers.ts';
import { readingHandlers } from './grpc/reading-handlers.ts';
import { searchHandlers } from './grpc/search-handlers.ts';
import { roomHandlers } from './grpc/room-handlers.ts';
import { BootLease, type BootStore } from './log/boot-lease.ts';
import type { EntryStore } from './log/entry-store.ts';
import { LaneCache } from './log/lane-cache.ts';
import { LogWriter } from './log/log-writer.ts';
import { Outbox } from './log/outbox.ts';
import type { ProjectionStore } from './log/projections.ts';
import { type AbandonedBootStore, Recovery } from './log/recovery.ts';
import { UnknownOutcomes } from './log/unknown-outcomes.ts';
import { tellReported, tellStarred } from './events/user-notices.ts';
import { countReports, observeChat, observeRetention } from './metrics.ts';
import { BlockCache } from './people/block-cache.ts';
import { Blocking } from './people/blocking.ts';
import { GuardedWriter } from './people/guarded-writer.ts';
import { allOf, choicePolicies } from './policies/policies.ts';
import { webhookPolicies } from './policies/webhook-policies.ts';
import { type PointerMove, PointerWriter } from './receipts/pointer-writer.ts';
import { TrailWriter } from './receipts/trail-writer.ts';
import { rememberLargeCounts } from './reading/large-counts.ts';
import { Retention } from './retention/retention.ts';
import { findableByEdits } from './search/findable-by-edits.ts';
import { Indexer, type IndexerTimings } from './search/indexer.ts';
import { chatCollections, ensureIndexes } from './storage/collections.ts';
import { openStores, type Stores } from './storage/open-stores.ts';

export type ChatTimings = {
  /** How long a boot may write without renewing its lease, and how often it renews it. */
  leaseMs: number;
  renewMs: number;
  /** How often a process looks for what others left behind. */
  recoveryMs: number;
};

export const defaultTimings: ChatTimings = { leaseMs: 10_000, renewMs: 1_000, recoveryMs: 2_000 };
/** Sum of members over idle conversations kept warm: some 100 MB at most. */
const warmMembers = 500_000;
const publishDrainMs = 5_000;

/** What the log is written to and read from. */
export type ChatStores = {
  entries: EntryStore;
  boots: BootStore & AbandonedBootStore;
  projections: ProjectionStore;
};

export type ChatOptions = {
  clock?: Clock;
  timings?: ChatTimings;
  indexerTimings?: IndexerTimings;
  /** Stands between the log and its stores, for those who want to see or disturb what passes. */
  wrapStores?: (stores: ChatStores) => ChatStores;
};

export type RunningChat = RunningService & { grpcPort: number; adminPort: number };

/** Wires the chat service and starts it. Resolves when it serves. */
export async function startChat(config: ChatConfig, log: Logger, options: ChatOptions = {}): Promise<RunningChat> {
  const opened = new CloseStack(log);
  try {
    return await openChat(config, log, options, opened);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function openChat(
  config: ChatConfig,
  log: Logger,
  options: ChatOptions,
  opened: CloseStack,
): Promise<RunningChat> {
  const metrics = createMetrics('chat');
  const admin = opened.add('admin', await startAdminServer({ host: config.host, port: config.adminPort, metrics }));
  const { mongodbUrl: url, mongodbDatabase: database } = config;
  const mongo = await connectMongo({ url, database, appName: 'chat', log });
  opened.add('mongo', { close: () => mongo.close() });
  // After it: a start that waits for the database says nothing about others meanwhile.
  const bus = opened.add('bus', new EventBus({ url: config.natsUrl, name: 'chat', log }));
  const collections = chatCollections(mongo);
  await ensureIndexes(collections);
  const { clock = systemClock } = options;
  const deadlined = deadlinedStores(watchCalls({ slowMs: config.slowQueryMs, metrics, log }));
  const stores = openStores(collections, config, { deadlined, clock, log });
  keepStream(bus, config.streamReplicas, log, opened);

  const { deps: logDeps, outbox } = openLog(stores, bus, config, log, { ...options, clock }, opened);
  const deps = { ...logDeps, ...openOwn(stores, bus, metrics) };
  openRetention(stores, deps, config, metrics, opened);
  opened.add('media listener', listenToMedia(bus, deps.reads, log));
  observeChat(metrics, outbox);
  const commands = new CommandStreams(deps);
  const rpc = opened.add(
    'grpc',
    await startRpcServer({
      host: config.host,
      port: config.grpcPort,
      tls: config.tls,
      allowedCallers: config.allowedCallers,
      log,
      services: [
        {
          definition: loadService<ChatServiceDefinition>('chat', 'ChatService'),
          unary: withFailures({
            ...conversationHandlers(deps),
            ...memberHandlers(deps),
            ...roomHandlers(deps),
            ...messageHandlers(deps),
            ...markingHandlers(deps),
            ...forwardHandlers(deps),
            ...ownHandlers(deps),
            ...readingHandlers(deps),
            ...peopleHandlers(deps),
            ...searchHandlers(deps),
          }),
          streams: { Commands: (stream) => commands.serve(stream) },
        },
      ],
    }),
  );
  opened.add('command streams', commands);
  opened.add('readiness', { close: () => admin.setReady(false) });
  admin.setReady(true);
  log.info({ grpcPort: rpc.port, adminPort: admin.port }, 'ready');
  return { grpcPort: rpc.port, adminPort: admin.port, close: () => opened.close() };
}

/** The log and all that writes, publishes and recovers it, in the order in which it must be closed again. */
function openLog(
  stores: Stores,
  bus: EventBus,
  config: ChatConfig,
  log: Logger,
  { clock, timings = defaultTimings, indexerTimings, wrapStores = (stores) => stores }: ChatOptions & { clock: Clock },
  opened: CloseStack,
): { deps: Omit<ChatDeps, keyof OwnDeps>; outbox: Outbox } {
  const { leaseMs, renewMs, recoveryMs } = timings;
  const indexing = indexerTimings ? { timings: indexerTimings } : {};
  const { search, messageReads, preferences } = stores;
  const { entries, boots, projections } = wrapStores({
    ...{ entries: stores.entries, boots: stores.boots },
    projections: findableByEdits(stores.projections, search),
  });
  const reads = rememberLargeCounts(stores.reads, clock);
  const outbox = new Outbox(clock);
  const beacon = opened.add('beacon', new HeadsBeacon(bus, clock));
  const indexer = opened.add('indexer', new Indexer({ index: search, entries, clock, log, ...indexing }));
  const lease = opened.add(
    'lease',
    new BootLease({ store: boots, outbox, clock, newBoot: newId, log, leaseMs, renewMs }),
  );
  const publisher = new EntryPublisher({
    bus,
    entries,
    reads,
    projections,
    outbox,
    log,
    stream: new EntryStream({ bus, stream: new AckedPublisher(bus, `_INBOX.${newId()}`) }),
    onPublished: (entry) => {
      beacon.note(entry.conversationId, entry.seq);
      indexer.hear(entry.conversationId, entry.seq);
    },
  });
  opened.add('publisher', { close: () => publisher.close(publishDrainMs) });
  opened.add(
    'recovery',
    new Recovery({
      boots,
      entries,
      redo: (entry, signal) => publisher.redo(entry, signal),
      clock,
      leaseMs,
      intervalMs: recoveryMs,
      log,
    }),
  );
  const unknown = new UnknownOutcomes(entries, outbox, clock, (entry, hold, traceId) =>
    publisher.take(entry, hold, traceId, undefined),
  );
  opened.add('unknown outcomes', unknown);
  const writer = new LogWriter({
    store: entries,
    lease,
    outbox,
    unknown,
    lanes: new LaneCache(warmMembers),
    clock,
    random: Math.random,
    log,
    onCommitted: (entry, hold, traceId, state) => publisher.take(entry, hold, traceId, state),
  });
  opened.add('writer', writer);
  const trails = opened.add('trails', new TrailWriter({ store: stores.trails, log }));
  const pointers = new PointerWriter({
    store: stores.pointers,
    clock,
    onMoved: (move) => {
      trails.note(move);
      tellReceipt(bus, move, clock());
    },
    remembered: 100_000,
  });
  opened.add('pointers', pointers);
  const { memberLimits, editWindowMs } = config;
  const guarded = openPeople(stores, writer, bus, config, log, clock, opened);
  const tellMe: ChatDeps['tellMe'] = (userId, conversationId) => tellOwnView(bus, userId, conversationId);
  const rules = { clock, log, memberLimits, editWindowMs };
  const own = { pointers, preferences, tellMe };
  return { deps: { ...guarded, publisher, projections, reads, messageReads, search, ...own, ...rules }, outbox };
}

type OwnDeps = Pick<ChatDeps, 'stars' | 'reports' | 'tell'>;

/** What concerns one user alone. */
function openOwn({ stars, reports }: Stores, bus: EventBus, metrics: Registry): OwnDeps {
  const countReport = countReports(metrics);
  return {
    ...{ stars, reports },
    tell: {
      starred: (userId, message, on) => tellStarred(bus, userId, message, on),
      reported(report) {
        countReport(report.reason);
        tellReported(bus, report);
      },
    },
  };
}

/** Moves old entries out of the log, where that is wanted. */
function openRetention(
  { retention: store, jobLeases: leases }: Stores,
  { clock, log, search }: Pick<ChatDeps, 'clock' | 'log' | 'search'>,
  { retention: { keepMs, sweepMs } }: ChatConfig,
  metrics: Registry,
  opened: CloseStack,
): void {
  if (keepMs === 0) return;
  const own = { clock, random: Math.random, holder: newId(), log };
  const observed = observeRetention(metrics);
  opened.add('retention', new Retention({ store, leases, index: search, keepMs, sweepMs, ...own, ...observed }));
}

/** Contacts, blocks and policies, and the writer that heeds blocks. */
function openPeople(
  { people }: Stores,
  unguarded: LogWriter,
  bus: EventBus,
  { policies: chosen }: ChatConfig,
  log: Logger,
  clock: Clock,
  opened: CloseStack,
): Pick<ChatDeps, 'writer' | 'people' | 'blocking' | 'policies'> {
  const cache = new BlockCache({ store: people, clock });
  opened.add('block listener', listenToBlocks(bus, cache));
  const blocking = new Blocking({
    ...{ store: people, cache, clock, writer: unguarded },
    tell: (pair, on) => tellBlock(bus, pair, on),
  });
  const choices = choicePolicies(chosen, people.whoKnow);
  const { webhook } = chosen;
  const policies = webhook ? allOf(choices, webhookPolicies({ ...webhook, clock, log })) : choices;
  return { people, blocking, policies, writer: new GuardedWriter({ writer: unguarded, blocks: cache, clock }) };
}

function tellReceipt(
  bus: EventBus,
  { conversationId, userId, deliveredSeq, readSeq }: PointerMove,
  atMs: number,
): void {
  const receipt = { userId, deliveredSeq, readSeq, atMs };
  bus.publish(subjects.signal(conversationId), conversationSignal.encode({ conversationId, receipt }));
  tellOwnView(bus, userId, conversationId);
}

function tellOwnView(bus: EventBus, userId: string, conversationId: string): void {
  bus.publish(subjects.user(userId), userEvent.encode({ userId, conversationMeChanged: { conversationId } }));
}

/** Makes the entries stream, also when NATS comes later or comes back without it. */
function keepStream(bus: EventBus, replicas: number, log: Logger, opened: CloseStack): void {
  const abort = new AbortController();
  const { signal } = abort;
  const trouble = new TroubleLog(log);
  const make = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const connection = await bus.connection();
        await ensureStream(await connection.jetstreamManager(), streams.entries, replicas);
        return trouble.over('the entries stream is there now');
      } catch (error) {
        if (signal.aborted) return;
        trouble.warn(error, 'Notifications wait and live delivery may, messages are kept');
        await sleep(1_000, signal);
      }
    }
  };
  const healed = bus.onHealed(() => {
    make().catch((error: unknown) => {
      if (!signal.aborted) log.error({ err: error }, 'the entries stream is missing');
    });
  });
  opened.add('stream keeper', {
    close: () => {
      abort.abort(new Error('closed'));
      healed.close();
    },
  });
}
