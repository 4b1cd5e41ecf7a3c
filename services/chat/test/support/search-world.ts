import { randomUUID } from 'node:crypto';
import { AppError } from '@bluewave/errors/app-error';
import { storeUuid } from '@bluewave/mongo/uuid';
import { createLogger } from '@bluewave/runtime/logger';
import type { EntryBody, LogEntry } from '../../src/log/entry.ts';
import { project, type ProjectionStore } from '../../src/log/projections.ts';
import type { ReadStore } from '../../src/reading/read-store.ts';
import { findableByEdits } from '../../src/search/findable-by-edits.ts';
import { Indexer } from '../../src/search/indexer.ts';
import type { SearchIndex } from '../../src/search/search-index.ts';
import { type SearchFilter, searchMessages } from '../../src/search/search-messages.ts';
import type { ChatCollections } from '../../src/storage/collections.ts';
import { toDocument } from '../../src/storage/entry-document.ts';
import { createMongoEntryStore } from '../../src/storage/mongo-entry-store.ts';
import { createMongoProjectionStore } from '../../src/storage/mongo-projection-store.ts';
import { createMongoReadStore } from '../../src/storage/mongo-read-store.ts';
import { createMongoSearchIndex } from '../../src/storage/mongo-search-index.ts';
import { message, newEntry } from './entries.ts';

/** A message as the log has it now; `isDeleted` ones are no longer found. */
export type Written = { id: string; conversationId: string; seq: number; senderId: string; at: number; text: string };

type Asked = { filter?: SearchFilter; limit?: number; cursor?: string; index?: SearchIndex; withinMs?: number };
type Page = { ids: string[]; nextCursor: string };

const isOutOfTime = (rejection: unknown): boolean =>
  rejection instanceof AppError && rejection.code === 'DEADLINE_EXCEEDED';

const silent = createLogger('search-world', 'silent');
/** So small that a few messages make many chunks and pages of chunks. */
const tinyChunks = { entries: 4, pieces: 3, page: 2, together: 10 };
const by = randomUUID();

/** Conversations and what is in them, written straight into the stores, with a plain list of what there is. */
export class SearchWorld {
  readonly users = Array.from({ length: 3 }, () => randomUUID());
  readonly conversations: string[] = [];
  readonly reads: ReadStore;
  readonly index: SearchIndex;
  readonly #collections: ChatCollections;
  readonly #projections: ProjectionStore;
  readonly #history = new Map<string, 'all' | 'joined'>();
  readonly #heads = new Map<string, number>();
  /** Of each conversation its members, with the first seq that they may read. */
  readonly #members = new Map<string, Map<string, number>>();
  readonly #messages = new Map<string, Written>();
  readonly #unwritten: LogEntry[] = [];
  #now = 1_700_000_000_000;

  /** @param keys that a chunk of the index takes. */
  constructor(collections: ChatCollections, keys: number) {
    this.#collections = collections;
    this.reads = createMongoReadStore(collections);
    this.index = createMongoSearchIndex(collections, { ...tinyChunks, keys });
    this.#projections = findableByEdits(createMongoProjectionStore(collections), this.index);
  }

  /** @param history what those who join see of it. */
  async open(history: 'all' | 'joined'): Promise<void> {
    const id = randomUUID();
    const [owner = '', ...others] = this.users;
    this.conversations.push(id);
    this.#history.set(id, history);
    this.#members.set(id, new Map(this.users.map((userId) => [userId, 1])));
    const created = { type: 'group', name: 'g', description: '', createdBy: owner, history } as const;
    await this.#write(id, owner, { type: 'member:added', userIds: [owner, ...others], created }, 1);
  }

  /** @param later milliseconds since the last entry of any conversation; may be negative, as clocks are. */
  async send(conversation: number, sender: number, text: string, later: number): Promise<void> {
    const conversationId = this.#pick(conversation);
    const senderId = this.users[sender % this.users.length] ?? '';
    const { seq, at } = await this.#write(conversationId, senderId, message(text), later);
    const id = `${conversationId}:${seq}`;
    this.#messages.set(id, { id, conversationId, seq, senderId, at, text });
  }

  async edit(which: number, text: string): Promise<void> {
    const target = this.#message(which);
    if (!target) return;
    target.text = text;
    const body = { type: 'message:edited', target: target.seq, text } as const;
    await this.#write(target.conversationId, target.senderId, body, 1);
  }

  async remove(which: number): Promise<void> {
    const target = this.#message(which);
    if (!target) return;
    this.#messages.delete(target.id);
    await this.#write(target.conversationId, target.senderId, { type: 'message:deleted', target: target.seq }, 1);
  }

  async leave(conversation: number, user: number): Promise<void> {
    const id = this.#pick(conversation);
    const userId = this.users[user % this.users.length] ?? '';
    if (this.#members.get(id)?.delete(userId)) await this.#write(id, userId, { type: 'member:removed', userId }, 1);
  }

  async join(conversation: number, user: number): Promise<void> {
    const id = this.#pick(conversation);
    const userId = this.users[user % this.users.length] ?? '';
    if (this.#members.get(id)?.has(userId)) return;
    const { seq } = await this.#write(id, userId, { type: 'member:added', userIds: [userId], created: null }, 1);
    this.#members.get(id)?.set(userId, this.#history.get(id) === 'joined' ? seq : 1);
  }

  /** Has some indexers do all there is to do, at the same time. */
  async indexAll(indexers: number): Promise<void> {
    await this.#flush();
    const entries = createMongoEntryStore(this.#collections, silent, Date.now);
    const made = Array.from({ length: indexers }, () => {
      const timings = { tickMs: 1_000_000, quietMs: 0, oldMs: 0, tailEntries: 1, sweep: 2 };
      return new Indexer({ index: this.index, entries, clock: Date.now, log: silent, timings });
    });
    for (let rounds = 0; rounds <= this.conversations.length / 2; rounds += 1) {
      await Promise.all(made.map((one) => one.runOnce()));
    }
    await Promise.all(made.map((one) => one.close()));
  }

  /** Has the index cover a few entries more of one conversation; with `dies` it is not noted how far it came. */
  async indexSome(conversation: number, count: number, dies: boolean): Promise<void> {
    const id = this.#pick(conversation);
    await this.#flush();
    const entries = createMongoEntryStore(this.#collections, silent, Date.now);
    const after = await this.index.coveredTo(id);
    const { conversations } = this.#collections;
    const _id = storeUuid(id);
    const before = await conversations.findOne({ _id });
    await this.index.cover(id, after, await entries.readAfter(id, after, count));
    if (dies) {
      await conversations.updateOne(
        { _id },
        before?.indexed ? { $set: { indexed: before.indexed } } : { $unset: { indexed: 1 } },
      );
    }
  }

  /** What a user may read, newest first. */
  readable(user: number): Written[] {
    const userId = this.users[user % this.users.length] ?? '';
    return [...this.#messages.values()]
      .filter(({ conversationId, seq }) => seq >= (this.#members.get(conversationId)?.get(userId) ?? Number.MAX_VALUE))
      .sort((a, b) => b.at - a.at || (a.conversationId === b.conversationId ? b.seq - a.seq : a.id < b.id ? 1 : -1));
  }

  /** Ids of all that a search finds, page by page. */
  async search(user: number, text: string, filter: SearchFilter, limit: number): Promise<string[]> {
    const ids: string[] = [];
    let cursor = '';
    do {
      const page = await this.page(user, text, { filter, limit, cursor });
      if (page.ids.length > limit) throw new Error('a page holds more than was asked for');
      ids.push(...page.ids);
      cursor = page.nextCursor;
    } while (cursor !== '');
    return ids;
  }

  /** Ids on one page of a search, by the index of this world or by another, within so many milliseconds. */
  async page(user: number, text: string, { filter = {}, limit = 50, cursor = '', ...more }: Asked): Promise<Page> {
    const userId = this.users[user % this.users.length] ?? '';
    await this.#flush();
    const deps = { reads: this.reads, index: more.index ?? this.index, clock: Date.now, isOutOfTime };
    const deadline = Date.now() + (more.withinMs ?? 60_000);
    const { found, nextCursor } = await searchMessages(deps, { userId, text, filter, limit, cursor, deadline });
    return { ids: found.map(({ entry }) => `${entry.conversationId}:${entry.seq}`), nextCursor };
  }

  async #write(conversationId: string, senderId: string, body: EntryBody, later: number): Promise<LogEntry> {
    this.#now += later;
    const seq = (this.#heads.get(conversationId) ?? 0) + 1;
    this.#heads.set(conversationId, seq);
    const entry = newEntry(conversationId, seq, senderId, body, { at: this.#now, by });
    this.#unwritten.push(entry);
    if (body.type !== 'message:new') {
      await this.#flush();
      await project(this.#projections, entry);
    }
    return entry;
  }

  /** Messages are written together, since each write waits for the disk. */
  async #flush(): Promise<void> {
    const entries = this.#unwritten.splice(0);
    if (entries.length === 0) return;
    await this.#collections.entries.insertMany(entries.map(toDocument), { writeConcern: { w: 'majority', j: true } });
  }

  #pick(conversation: number): string {
    return this.conversations[conversation % this.conversations.length] ?? '';
  }

  #message(which: number): Written | undefined {
    const all = [...this.#messages.values()];
    return all[which % Math.max(1, all.length)];
  }
}
