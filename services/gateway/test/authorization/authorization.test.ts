import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Route } from '@bluewave/api/route';
import { routes, type RouteId } from '@bluewave/api/routes';
import type { ClientEventName } from '@bluewave/api/socket-events';
import { insistently, type Person, type Reply } from '../http/support/caller.ts';
import { type GatewayUnderTest, startGatewayUnderTest } from '../http/support/gateway.ts';
import { type Services, startServices } from '../http/support/services.ts';
import { TestClient } from '../ws/test-client.ts';
import { absent, type ConversationOperation, type Operation, type Request } from './operation.ts';
import {
  ask,
  directStandings,
  gather,
  makeScene,
  ownGroup,
  type People,
  say,
  type Scene,
  type Standing,
  standings,
} from './scene.ts';
import { restTable, socketTable } from './table.ts';

let services: Services;
let gateway: GatewayUnderTest;
let people: People;
/** Where nothing is changed: for calls that are refused or only look. */
let lasting: Scene;
/** The two of a direct conversation of which one blocked the other, and two who did not. */
let pair: { blocked: Person; blocker: Person };
let blocked: Scene;
let peers: Scene;

beforeAll(async () => {
  services = await startServices();
  gateway = await startGatewayUnderTest(services.addresses);
  people = await gather(gateway);
  lasting = await makeScene(gateway, people);
  peers = await directScene(people.member, people.author);
  pair = { blocked: await gateway.register('blocked'), blocker: await gateway.register('blocker') };
  blocked = await directScene(pair.blocked, pair.blocker);
  await ask(gateway, pair.blocker, 'PUT', `/users/me/blocks/${pair.blocked.id}`, {});
}, 120_000);
afterAll(async () => {
  await gateway?.close();
  await services?.close();
}, 30_000);

/** A direct conversation with a message of the second in it. */
async function directScene(one: Person, other: Person): Promise<Scene> {
  const body = { type: 'direct', userId: other.id };
  const { id } = await ask<{ id: string }>(gateway, one, 'POST', '/conversations', body);
  return { conversationId: id, messageId: await say(gateway, other, id), elsewhere: id, people };
}

const call = ({ method, path, body }: Request, actor: Person): Promise<Reply<{ code?: string; traceId?: string }>> =>
  insistently(() => gateway.call(method, path, { token: actor.accessToken, ...(body === undefined ? {} : { body }) }));

/** A scene that a call may change: the lasting one when it will not. */
async function sceneFor(expected: number, actor: Person, isRead: boolean): Promise<Scene> {
  const scene = expected >= 300 || isRead ? lasting : await makeScene(gateway, people);
  return { ...scene, elsewhere: await groupOf(actor) };
}

const groups = new Map<Person, Promise<string>>();
function groupOf(person: Person): Promise<string> {
  const group = groups.get(person) ?? ownGroup(gateway, person);
  groups.set(person, group);
  return group;
}

/** What each standing is answered, all at once: what a call changes is its own scene. */
async function answersOf(ask: (standing: Standing) => Promise<number>): Promise<object> {
  return Object.fromEntries(await Promise.all(standings.map(async (one) => [one, await ask(one)] as const)));
}

const isAbout =
  <K extends string>(about: Operation['about']) =>
  (row: [K, Operation]): row is [K, ConversationOperation] =>
    row[1].about === about;
const rest = Object.entries(restTable) as [RouteId, Operation][];
const sockets = Object.entries(socketTable) as [ClientEventName, Operation][];

describe('every REST operation', () => {
  it.each(rest.filter(([, { about }]) => about !== 'nobody').map(([id]) => id))(
    'given no token, when %s is asked for, then it is refused as that',
    async (id) => {
      const route: Route = routes[id];
      const path = route.path.replaceAll(/:\w+/g, lasting.conversationId);
      const body = route.body ? { body: {} } : {};
      const reply = await gateway.call(route.method, path, body);
      expect(reply).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
    },
  );

  it.each(rest.filter(isAbout('conversation')))(
    'given a group, when %s is asked for by each of its people, then each is answered as the table says',
    async (id, operation) => {
      const answered = await answersOf(async (standing) => {
        const actor = people[standing];
        const isRead = routes[id].method === 'GET';
        const scene = await sceneFor(operation.answers[standing], actor, isRead);
        return (await call(operation.request(scene, actor), actor)).status;
      });
      expect(answered).toEqual(operation.answers);
    },
    60_000,
  );

  it.each(rest.filter(isAbout('conversation')))(
    'given what is not there, when %s is asked for it, then the answer is that of what is somebody else’s',
    async (_id, operation) => {
      const foreign = await call(operation.request(lasting, people.stranger), people.stranger);
      const none = await call(operation.request(absent(lasting), people.stranger), people.stranger);
      const byOwner = await call(operation.request(absent(lasting), people.owner), people.owner);
      const problemOf = ({ status, body }: Reply<object>) => ({ status, body: { ...body, traceId: '' } });
      expect(problemOf(foreign)).toEqual(problemOf(none));
      expect(problemOf(byOwner)).toEqual(problemOf(none));
      expect(none.status).toBe(404);
    },
  );

  it.each(rest.filter(isAbout('conversation')).filter(([, { direct }]) => direct))(
    'given a direct conversation, when %s is asked for by a peer, a blocked one and who blocked, then as the table says',
    async (_id, { request, direct }) => {
      const answered: Record<string, number> = {};
      for (const standing of directStandings) {
        const [scene, actor] = {
          peer: [peers, people.member] as const,
          blocked: [blocked, pair.blocked] as const,
          blocker: [blocked, pair.blocker] as const,
        }[standing];
        answered[standing] = (await call(request(scene, actor), actor)).status;
      }
      expect(answered).toEqual(direct);
    },
  );
});

describe('rooms', () => {
  /** A room shows itself and can be joined; all else is as in a group. */
  const open: Partial<Record<RouteId, number>> = { 'conversations.get': 200, 'conversations.join': 200 };
  let room: Scene;
  beforeAll(async () => {
    const { id } = await ask<{ id: string }>(gateway, people.owner, 'POST', '/conversations', {
      type: 'room',
      name: 'Open',
    });
    await ask(gateway, people.author, 'POST', `/conversations/${id}/join`, {});
    await ask(gateway, people.member, 'POST', `/conversations/${id}/join`, {});
    room = { ...lasting, conversationId: id, messageId: await say(gateway, people.author, id) };
  });

  it('given a stranger, when everything is asked of a room, then it shows itself and nothing of what is in it', async () => {
    const join = rest.findIndex(([id]) => id === 'conversations.join');
    const inOrder = [...rest.slice(0, join), ...rest.slice(join + 1), ...rest.slice(join, join + 1)];
    for (const [id, operation] of inOrder.filter(isAbout('conversation'))) {
      const { status } = await call(operation.request(room, people.stranger), people.stranger);
      expect({ id, status }).toEqual({ id, status: open[id] ?? 404 });
    }
  });

  it('given a member who is muted for writing too fast, when everything is asked, then only sending is refused', async () => {
    const limited = await startGatewayUnderTest({ ...services.addresses, RATE_LIMITS: 'on' });
    try {
      const { member } = people;
      const statusOf = async ({ method, path, body }: Request) =>
        (await limited.call(method, path, { token: member.accessToken, ...(body === undefined ? {} : { body }) }))
          .status;
      const send = restTable['messages.send'] as ConversationOperation;
      for (let sent = 0; sent < 5; sent += 1) expect(await statusOf(send.request(room, member))).toBe(201);
      const elsewhere = await groupOf(member);
      const leave = rest.filter(([id]) => id === 'conversations.leave');
      for (const [id, operation] of [...rest.filter(([other]) => other !== 'conversations.leave'), ...leave]) {
        if (operation.about !== 'conversation') continue;
        const status = await statusOf(operation.request({ ...room, elsewhere }, member));
        expect({ id, status }).toEqual({ id, status: id === 'messages.send' ? 429 : operation.answers.member });
      }
    } finally {
      await limited.close();
    }
  }, 60_000);
});

describe('every socket event', () => {
  const codes: Record<string, number> = { NOT_FOUND: 404, FORBIDDEN: 403, CONFLICT: 409 };
  const clients = new Map<string, TestClient>();
  afterAll(() => {
    for (const client of clients.values()) client.close();
  });

  /** A client that was connected after the actor became a member of what they act on. */
  async function statusOf(event: ClientEventName, payload: unknown, actor: Person): Promise<number> {
    const client = new TestClient(gateway.url, actor.accessToken, {});
    try {
      await client.connected();
      const ack = (await client.emit(event, payload)) as { ok: boolean; error?: { code: string } };
      return ack.ok ? 200 : (codes[ack.error?.code ?? ''] ?? 500);
    } finally {
      client.close();
    }
  }

  it.each(sockets.filter(isAbout('conversation')))(
    'given a group, when %s is sent by each of its people, then each is acknowledged as the table says',
    async (event, operation) => {
      const answered = await answersOf(async (standing) => {
        const actor = people[standing];
        const scene = await sceneFor(operation.answers[standing], actor, false);
        return statusOf(event, operation.request(scene, actor).body, actor);
      });
      expect(answered).toEqual(operation.answers);
    },
    60_000,
  );

  it.each(sockets.filter(isAbout('conversation')))(
    'given what is not there, when %s names it, then it is not found',
    async (event, operation) => {
      expect(await statusOf(event, operation.request(absent(lasting), people.owner).body, people.owner)).toBe(404);
    },
  );

  it.each(sockets.filter(isAbout('conversation')).filter(([, { direct }]) => direct))(
    'given a direct conversation, when %s is sent by a peer, a blocked one and who blocked, then as the table says',
    async (event, { request, direct }) => {
      const answered = {
        peer: await statusOf(event, request(peers, people.member).body, people.member),
        blocked: await statusOf(event, request(blocked, pair.blocked).body, pair.blocked),
        blocker: await statusOf(event, request(blocked, pair.blocker).body, pair.blocker),
      };
      expect(answered).toEqual(direct);
    },
  );
});
