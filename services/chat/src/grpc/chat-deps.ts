import type { Clock } from '@bluewave/runtime/clock';
import type { Logger } from '@bluewave/runtime/logger';
import type { MemberLimits } from '../conversations/member-limits.ts';
import type { PreferenceStore } from '../conversations/preferences.ts';
import type { EntryPublisher } from '../events/entry-publisher.ts';
import type { ProjectionStore } from '../log/projections.ts';
import type { Blocking } from '../people/blocking.ts';
import type { Appender } from '../people/guarded-writer.ts';
import type { PeopleStore } from '../people/people-store.ts';
import type { Policies } from '../policies/policies.ts';
import type { MessageReads } from '../reading/message-reads.ts';
import type { Address, ReadStore } from '../reading/read-store.ts';
import type { Report, ReportStore } from '../reports/report-store.ts';
import type { StarStore } from '../stars/star-store.ts';
import type { PointerWriter } from '../receipts/pointer-writer.ts';
import type { SearchIndex } from '../search/search-index.ts';

/** What the handlers of the chat service stand on. */
export type ChatDeps = {
  /** Refuses what blocks forbid. */
  writer: Appender;
  publisher: EntryPublisher;
  projections: ProjectionStore;
  pointers: PointerWriter;
  search: SearchIndex;
  preferences: PreferenceStore;
  /** Tells a user's devices that their own view of a conversation changed. */
  tellMe(userId: string, conversationId: string): void;
  reads: ReadStore;
  messageReads: MessageReads;
  stars: StarStore;
  reports: ReportStore;
  /** Tells what no entry says. */
  tell: {
    /** The user's own devices. */
    starred(userId: string, message: Address, on: boolean): void;
    /** Whoever operates the platform; once a report. */
    reported(report: Report): void;
  };
  people: PeopleStore;
  blocking: Blocking;
  policies: Policies;
  clock: Clock;
  log: Logger;
  memberLimits: MemberLimits;
  editWindowMs: number;
};
