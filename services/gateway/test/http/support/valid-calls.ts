import { randomUUID } from 'node:crypto';
import { bodyExamples } from '@bluewave/api/examples';
import type { Route } from '@bluewave/api/route';
import type { RouteId } from '@bluewave/api/routes';
import type { Person } from './caller.ts';
import { fittingId } from './hostile.ts';
import type { Scene } from './scene.ts';

/** One call of an operation. Its caller is alice unless `as` says otherwise. */
export type ValidCall = { as: Person; params: string[]; query: [string, string][]; body: unknown };

type Special = (scene: Scene) => Promise<Partial<ValidCall>>;

/** A session that the call may end. */
const asAnother: Special = async ({ login }) => ({ as: await login() });
const withBody = (body: (scene: Scene) => Promise<unknown>): Special => {
  return async (scene) => ({ body: await body(scene) });
};

/** Where alice's own ids and the example of the body are not what the operation takes. */
const special: Partial<Record<RouteId, Special>> = {
  'auth.register': withBody(async () => ({
    email: `${randomUUID()}@example.com`,
    username: `u_${randomUUID().slice(0, 8)}`,
    password: 'correct horse battery',
  })),
  'auth.login': withBody(async ({ alice }) => ({ identifier: alice.email, password: alice.password })),
  'auth.requestCode': withBody(async ({ alice }) => ({ identifier: alice.email })),
  'auth.verifyCode': withBody(async ({ alice, code }) => ({ identifier: alice.email, code: await code() })),
  'auth.refresh': withBody(async ({ login }) => ({ refreshToken: (await login()).refreshToken })),
  'auth.logout': asAnother,
  'auth.logoutAll': async ({ register }) => ({ as: await register() }),
  'users.search': async ({ alice }) => ({ query: [['q', alice.user.username]] }),
  'devices.delete': async ({ login }) => {
    const as = await login();
    return { as, params: [as.deviceId] };
  },
  'devices.putPushToken': withBody(async () => ({ provider: 'fcm', token: `token-${randomUUID()}` })),
  'contacts.put': async ({ register }) => ({ params: [(await register()).id], body: { alias: 'The Countess' } }),
  'blocks.put': async ({ register }) => ({ params: [(await register()).id], body: {} }),
  'conversations.create': withBody(async ({ register }) => ({ type: 'direct', userId: (await register()).id })),
  'conversations.leave': async ({ register, group }) => {
    const as = await register();
    return { as, params: [await group(as.id)], body: {} };
  },
  'conversations.discover': async () => ({ query: [['q', 'room']] }),
  'conversations.update': async ({ group }) => ({ params: [await group()] }),
  'conversations.delete': async ({ group }) => ({ params: [await group()] }),
  'conversations.join': async ({ room, register }) => ({ as: await register(), params: [await room()], body: {} }),
  'conversations.transfer': async ({ register, group }) => {
    const { id: userId } = await register();
    return { params: [await group(userId)], body: { userId } };
  },
  'members.add': async ({ register, group }) => ({
    params: [await group()],
    body: { userIds: [(await register()).id] },
  }),
  'members.update': async ({ register, group }) => {
    const { id } = await register();
    return { params: [await group(id), id], body: { role: 'moderator' } };
  },
  'bans.put': async ({ register, group }) => ({ params: [await group(), (await register()).id] }),
  'bans.delete': async ({ register, group }) => ({ params: [await group(), (await register()).id] }),
  'members.remove': async ({ register, group }) => {
    const { id } = await register();
    return { params: [await group(id), id] };
  },
  'messages.send': withBody(async () => ({ clientMsgId: randomUUID(), text: 'Hello' })),
  'messages.read': withBody(async () => ({ seq: 1 })),
  'messages.search': async () => ({ query: [['q', 'hello']] }),
  'messages.delivered': withBody(async () => ({ seq: 1 })),
  'messages.edit': async ({ send, group }) => ({ params: [await send(await group())], body: { text: 'Hello, world' } }),
  'messages.delete': async ({ send, group }) => ({ params: [await send(await group())] }),
  'messages.forward': withBody(async ({ group }) => ({ conversationIds: [await group()] })),
  'messages.report': withBody(async () => ({ reason: 'spam' })),
  sync: withBody(async ({ ids }) => ({ cursors: { [ids.conversationId]: 0 } })),
  'media.confirm': withBody(async ({ upload }) => ({ uploadId: await upload() })),
  'media.delete': async ({ upload }) => ({ params: [await upload()] }),
};

/** A call that the operation must take. One that has no words of its own is made of alice's ids and the example of its body. */
export async function validCall(id: string, route: Route, scene: Scene): Promise<ValidCall> {
  const names = Object.keys(route.params?.shape ?? {});
  const key = id as RouteId;
  return {
    as: scene.alice,
    params: names.map((name) => fittingId(route.path, name, scene.ids)),
    query: [],
    body: route.body && (bodyExamples[key] ?? {}),
    ...(await special[key]?.(scene)),
  };
}
