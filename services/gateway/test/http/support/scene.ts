import { randomUUID } from 'node:crypto';
import { eventually, insistently, type Person, type Reply } from './caller.ts';
import type { GatewayUnderTest } from './gateway.ts';
import type { Ids } from './hostile.ts';

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Alice, what she owns, and ways to make more of it for calls that use something up. */
export type Scene = {
  alice: Person;
  /** Alice's, and there for the whole test unless a call takes it away. */
  ids: Ids;
  register(): Promise<Person>;
  /** Another session on a device of its own; alice's without `person`. */
  login(person?: Person): Promise<Person>;
  /** A code that logs alice in. */
  code(): Promise<string>;
  group(...memberIds: string[]): Promise<string>;
  room(): Promise<string>;
  send(conversationId: string): Promise<string>;
  /** An image whose bytes are there and not confirmed yet. */
  upload(): Promise<string>;
};

export async function makeScene(gateway: GatewayUnderTest): Promise<Scene> {
  const alice = await gateway.register('alice');
  const post = async <T>(path: string, body: unknown): Promise<T> =>
    made(await insistently(() => gateway.call<T>('POST', path, { token: alice.accessToken, body })));
  const group = async (...memberIds: string[]): Promise<string> =>
    (await post<{ id: string }>('/conversations', { type: 'group', name: 'Fuzz', memberIds })).id;
  const room = async (): Promise<string> =>
    (await post<{ id: string }>('/conversations', { type: 'room', name: 'Fuzz room' })).id;
  const send = async (conversationId: string): Promise<string> => {
    const body = { clientMsgId: randomUUID(), text: 'target' };
    return (await post<{ message: { id: string } }>(`/conversations/${conversationId}/messages`, body)).message.id;
  };
  const upload = async (): Promise<string> => {
    type Slot = { uploadId: string; url: string; headers: Record<string, string> };
    const wish = { fileName: 'dot.png', contentType: 'image/png', size: png.length, purpose: 'message' };
    const { uploadId, url, headers } = await post<Slot>('/media/upload-url', wish);
    const put = await fetch(url, { method: 'PUT', headers, body: png });
    if (!put.ok) throw new Error(`the upload answered ${put.status}`);
    return uploadId;
  };
  const uploadId = await upload();
  await post('/media/confirm', { uploadId });
  await eventually(async () => {
    const { status } = await gateway.call('GET', `/media/${uploadId}/thumbnail`, { token: alice.accessToken });
    return status === 302 ? true : undefined;
  });
  const conversationId = await group();
  const ids: Ids = {
    ...{ conversationId, uploadId, userId: alice.id, deviceId: alice.deviceId },
    messageId: await send(conversationId),
  };
  const login = async (person = alice): Promise<Person> => {
    const { email: identifier, password } = person;
    const device = { name: 'another', platform: 'web' };
    return { ...person, ...(await post<Person>('/auth/login', { identifier, password, device })) };
  };
  const code = async (): Promise<string> =>
    (await post<{ code: string }>('/auth/request-code', { identifier: alice.email })).code;
  return { alice, ids, register: () => gateway.register('guest'), login, code, group, room, send, upload };
}

function made<T>({ status, body }: Reply<T>): T {
  if (status >= 400) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body;
}
