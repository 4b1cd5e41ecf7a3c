import type { Deadlined } from '@bluewave/mongo/deadlined-stores';
import type { Clock } from '@bluewave/runtime/clock';
import type { Logger } from '@bluewave/runtime/logger';
import type { ChatConfig } from '../config.ts';
import type { ChatCollections } from './collections.ts';
import { createMongoBootStore } from './mongo-boot-store.ts';
import { createMongoEntryStore } from './mongo-entry-store.ts';
import { createMongoJobLeases } from './mongo-job-leases.ts';
import { createMongoMessageReads } from './mongo-message-reads.ts';
import { createMongoPeopleStore } from './mongo-people-store.ts';
import { createMongoPointerStore } from './mongo-pointer-store.ts';
import { createMongoPreferenceStore } from './mongo-preference-store.ts';
import { createMongoProjectionStore } from './mongo-projection-store.ts';
import { createMongoReadStore } from './mongo-read-store.ts';
import { createMongoReportStore } from './mongo-report-store.ts';
import { createMongoRetentionStore } from './mongo-retention-store.ts';
import { createMongoSearchIndex } from './mongo-search-index.ts';
import { createMongoStarStore } from './mongo-star-store.ts';
import { createMongoTrailStore } from './mongo-trail-store.ts';

/** Projecting one entry may change every membership of a large conversation. */
const projectionMs = 30_000;

export type Stores = ReturnType<typeof openStores>;

/** All that chat keeps in MongoDB, each with its deadline and under the name that logs and metrics show. */
export function openStores(
  collections: ChatCollections,
  { relaxedReads, retention }: Pick<ChatConfig, 'relaxedReads' | 'retention'>,
  { deadlined, clock, log }: { deadlined: Deadlined; clock: Clock; log: Logger },
) {
  return {
    entries: deadlined('entries', createMongoEntryStore(collections, log, clock)),
    boots: deadlined('boots', createMongoBootStore(collections)),
    projections: deadlined('projections', createMongoProjectionStore(collections), projectionMs),
    reads: deadlined('reads', createMongoReadStore(collections, relaxedReads)),
    messageReads: deadlined('messageReads', createMongoMessageReads(collections)),
    search: deadlined('search', createMongoSearchIndex(collections)),
    trails: deadlined('trails', createMongoTrailStore(collections)),
    pointers: deadlined('pointers', createMongoPointerStore(collections, clock)),
    preferences: deadlined('preferences', createMongoPreferenceStore(collections)),
    stars: deadlined('stars', createMongoStarStore(collections)),
    reports: deadlined('reports', createMongoReportStore(collections)),
    people: deadlined('people', createMongoPeopleStore(collections.people)),
    retention: deadlined('retention', createMongoRetentionStore(collections, retention.archiveMs)),
    jobLeases: deadlined('jobLeases', createMongoJobLeases(collections)),
  };
}
