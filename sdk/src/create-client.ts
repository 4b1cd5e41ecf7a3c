import { BluewaveError } from './bluewave-error.ts';
import type { Client, ClientOptions, OpenConversation, Sending } from './client.ts';
import { createCommands } from './commands.ts';
import type { Message } from './contract.ts';
import { newUuid } from './environment.ts';
import type { Observable } from './observable.ts';
import { Parts } from './parts.ts';
import type { MessageBody } from './store/store.ts';
import { upload } from './upload/upload.ts';
import { createMessageViews, type MessageView } from './views/message-view.ts';
import { findConversation } from './views/open-conversations.ts';
import type { Timeline } from './views/timeline.ts';

/** The platform closes the connection of whoever sends more than 64 KiB at once. */
const maxBody = 48 * 1024;

/**
 * A client of the platform. It shows what its store holds at once; `connect` brings it up to date and keeps it so.
 *
 * @throws what the store rejects with when it cannot be read
 */
export async function createClient(options: ClientOptions): Promise<Client> {
  const parts = await Parts.create(options);
  const { account, api, conversations, connection, environment, events, presences } = parts;
  return {
    ...createCommands(parts),
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
  const { conversations, mutes, open, outbox, typing } = parts;
  const timeline = open.acquire(id);
  let isOpen = true;
  const find = (given: string) => timeline.messages.get().find((one) => one.key === given || one.id === given);
  const idOf = (given: string): string | undefined => find(given)?.id ?? outbox.messageIdOf(given);
  /** Does something to a message: by its id, or by its key while it has none. */
  const change: Change = async (given, action) => {
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
    mutedUntil: mutes.in(id),
    loaded: timeline.loaded,
    loadOlder: () => open.loadOlder(id),
    send: (body) => send(parts, timeline, id, typeof body === 'string' ? { text: body } : body),
    edit: (given, text, { mentions } = {}) =>
      handled(
        change(given, (target) => {
          const called = mentions === undefined ? {} : { mentions };
          return answered(outbox.add({ kind: 'edit', conversationId: id, target, text, ...called }).done);
        }),
      ),
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
      return send(parts, timeline, id, failed.body);
    },
    ...markCommands(parts, change),
    markRead: (seq) => parts.want(id, { readSeq: seq ?? conversations.get(id)?.have ?? 0 }),
    markDelivered: (seq) => parts.want(id, { deliveredSeq: seq ?? conversations.get(id)?.have ?? 0 }),
    type: () => typing.start(id),
    close() {
      if (isOpen) open.release(id);
      isOpen = false;
    },
  };
}

type Change = <T>(given: string, action: (target: string) => Promise<T>) => Promise<T>;

type Marks = Pick<OpenConversation, 'react' | 'unreact' | 'pin' | 'unpin' | 'star' | 'unstar' | 'forward'>;

/** What people put on messages; shown when the log tells it. */
function markCommands({ api, conversations, environment }: Parts, change: Change): Marks {
  const star = (target: string, on: boolean): Promise<void> =>
    change(target, async (id) => {
      await api(on ? 'starsPut' : 'starsDelete', { params: { id } });
      conversations.takeStar({ messageId: id, on });
    });
  return {
    star: (target) => star(target, true),
    unstar: (target) => star(target, false),
    forward: (target, conversationIds, options) =>
      change(target, async (id) => {
        const given = { idempotencyKey: newUuid(environment.random), ...options };
        return (await api('messagesForward', { params: { id }, body: { conversationIds } }, given)).results;
      }),
    react: (target, emoji) => change(target, (id) => api('reactionsPut', { params: { id, emoji } })),
    unreact: (target, emoji) => change(target, (id) => api('reactionsDelete', { params: { id, emoji } })),
    pin: (target) => change(target, (id) => api('pinsPut', { params: { id } })),
    unpin: (target) => change(target, (id) => api('pinsDelete', { params: { id } })),
  };
}

function send(
  { outbox, typing, account }: Parts,
  timeline: Timeline,
  conversationId: string,
  body: MessageBody,
): Sending {
  if (JSON.stringify(body).length > maxBody) {
    throw new BluewaveError('PAYLOAD_TOO_LARGE', 'The message is too large.', { retryable: false });
  }
  typing.stop(conversationId);
  const { item, done } = outbox.add({ kind: 'send', conversationId, body });
  const answeredTo = timeline.held.filter(({ message }) => message.id === body.replyTo);
  const message = createMessageViews(answeredTo, [item], account.user.get()).at(-1);
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
