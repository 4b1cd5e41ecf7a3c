import { BluewaveError } from './bluewave-error.ts';
import type { Client, ClientOptions, OpenConversation, Sending } from './client.ts';
import type { Conversation, Message } from './contract.ts';
import type { Observable } from './observable.ts';
import { Parts } from './parts.ts';
import type { MessageBody } from './store/store.ts';
import { upload } from './upload/upload.ts';
import { createMessageViews, type MessageView } from './views/message-view.ts';
import { findConversation } from './views/open-conversations.ts';

/** The platform closes the connection of whoever sends more than 64 KiB at once. */
const maxBody = 48 * 1024;

/**
 * A client of the platform. It shows what its store holds at once; `connect` brings it up to date and keeps it so.
 *
 * @throws what the store rejects with when it cannot be read
 */
export async function createClient(options: ClientOptions): Promise<Client> {
  const parts = await Parts.create(options);
  const { account, api, conversations, connection, environment, events, presences, sync } = parts;
  const added = (conversation: Conversation): Conversation => {
    sync.handle({ type: 'added', conversation });
    return conversation;
  };
  return {
    connection: connection.state,
    synced: parts.synced,
    conversations: conversations.list,
    user: account.user,
    deviceId: parts.deviceId,
    api,
    on: events.on,
    connect: () => connection.connect(),
    disconnect: () => connection.disconnect(),
    open: (conversationId) => openConversation(parts, conversationId),
    openDirect: async (userId) => added(await api('conversationsCreate', { body: { type: 'direct', userId } })),
    createGroup: async (group) => added(await api('conversationsCreate', { body: { type: 'group', ...group } })),
    addMembers: async (id, userIds) => api('membersAdd', { params: { id }, body: { userIds } }),
    async removeMember(id, userId) {
      await api('membersRemove', { params: { id, userId } });
    },
    async leave(conversationId) {
      await api('conversationsLeave', { params: { id: conversationId } });
      sync.handle({ type: 'removed', conversationId });
    },
    async searchUsers(text, { limit, signal } = {}) {
      const query = { q: text, ...(limit === undefined ? {} : { limit }) };
      return (await api('usersSearch', { query }, signal ? { signal } : {})).items;
    },
    upload: (file, given) => upload({ api, environment }, file, given),
    watchPresence: (userIds) => presences.watch(userIds),
    setStatus: (status) => presences.setStatus(status),
    async logout() {
      await api('authLogout', { body: {} });
      await parts.close({ clear: true });
    },
    close: () => parts.close(),
  };
}

function openConversation(parts: Parts, id: string): OpenConversation {
  const { conversations, open, outbox, typing } = parts;
  const timeline = open.acquire(id);
  let isOpen = true;
  const find = (given: string) => timeline.messages.get().find((one) => one.key === given || one.id === given);
  const idOf = (given: string): string | undefined => find(given)?.id ?? outbox.messageIdOf(given);
  /** Does something to a message: by its id, or by its key while it has none. */
  const change = async <T>(given: string, action: (target: string) => Promise<T>): Promise<T> => {
    const known = idOf(given) ?? (outbox.find(given) ? given : undefined);
    if (known !== undefined) return action(known);
    await timeline.loaded;
    return action(idOf(given) ?? given);
  };
  return {
    id,
    conversation: select(conversations.list, (list) => findConversation(list, id)),
    messages: timeline.messages,
    typing: typing.in(id),
    loaded: timeline.loaded,
    loadOlder: () => open.loadOlder(id),
    send: (body) => send(parts, id, typeof body === 'string' ? { text: body } : body),
    edit: (given, text) =>
      handled(change(given, (target) => answered(outbox.add({ kind: 'edit', conversationId: id, target, text }).done))),
    delete(given) {
      if (outbox.find(given)?.problem) return Promise.resolve(outbox.discard(given));
      return handled(
        change(given, async (target) => {
          await outbox.add({ kind: 'delete', conversationId: id, target }).done;
        }),
      );
    },
    retry(key) {
      const failed = outbox.find(key);
      if (failed?.kind !== 'send' || !failed.problem) return undefined;
      outbox.discard(key);
      return send(parts, id, failed.body);
    },
    markRead: (seq) => parts.want(id, { readSeq: seq ?? conversations.get(id)?.have ?? 0 }),
    markDelivered: (seq) => parts.want(id, { deliveredSeq: seq ?? conversations.get(id)?.have ?? 0 }),
    type: () => typing.start(id),
    close() {
      if (isOpen) open.release(id);
      isOpen = false;
    },
  };
}

function send({ outbox, typing, account }: Parts, conversationId: string, body: MessageBody): Sending {
  if (JSON.stringify(body).length > maxBody) {
    throw new BluewaveError('PAYLOAD_TOO_LARGE', 'The message is too large.', { retryable: false });
  }
  typing.stop(conversationId);
  const { item, done } = outbox.add({ kind: 'send', conversationId, body });
  const [message] = createMessageViews([], [item], account.user.get());
  return { message: message as MessageView, done: answered(done) };
}

/** Sends and edits are answered with their message. */
function answered(done: Promise<Message | undefined>): Promise<Message> {
  return handled(done.then((answer) => answer as Message));
}

/** Callers may prefer to watch the message's status: a failure is then not unhandled. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** A part of a value that changes, told only when that part does. */
function select<T, P>(source: Observable<T>, pick: (value: T) => P): Observable<P> {
  return {
    get: () => pick(source.get()),
    subscribe(listener) {
      let last = pick(source.get());
      return source.subscribe((value) => {
        const next = pick(value);
        if (next === last) return;
        last = next;
        listener(next);
      });
    },
  };
}
