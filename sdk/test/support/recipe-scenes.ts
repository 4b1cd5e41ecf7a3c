import { expect } from '@jest/globals';
import type { MessageView } from '@bluewave/sdk';
import { sendFile } from '../recipes/attach-a-file.ts';
import { correct, takeBack } from '../recipes/edit-and-delete.ts';
import { startOffline } from '../recipes/keep-offline.ts';
import { showConversations } from '../recipes/list-conversations.ts';
import { logIn } from '../recipes/log-in.ts';
import { say } from '../recipes/send-a-message.ts';
import { showMessages } from '../recipes/show-messages.ts';
import { startGroup, talkTo } from '../recipes/start-a-conversation.ts';
import { useYourTokens } from '../recipes/tokens-from-your-app.ts';
import { keyPressed, watchPeople } from '../recipes/who-is-there.ts';
import { password, until, type World } from './world.ts';

/** A 2 x 2 PNG. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==',
  'base64',
);

/** Two people who talk to each other. */
async function pair(world: World) {
  const [ada, bob] = [await world.person(), await world.person()];
  const [adas, bobs] = [await world.client(ada), await world.client(bob)];
  const { id } = await adas.openDirect(bob.id);
  await until(() => bobs.conversations.get().length === 1);
  return { ada, bob, adas, bobs, id };
}

/** By the name of its file: what a recipe of the README does when it runs against a real platform. */
export const recipeScenes: Record<string, (world: World) => Promise<void>> = {
  async 'log-in.ts'(world) {
    const ada = await world.person();
    const kept: string[] = [];
    const client = world.keep(await logIn(world.url, ada.username, password, (session) => kept.push(session.deviceId)));
    await until(() => client.synced.get());
    expect(client.user.get()).toMatchObject({ id: ada.id, username: ada.username });
    expect(kept).toEqual([client.deviceId]);
  },

  async 'tokens-from-your-app.ts'(world) {
    const ada = await world.person();
    let asked = 0;
    // The first one is no good: the client asks for another.
    const tokens = ['no.good.token', ada.session.accessToken];
    const fetchToken = async (): Promise<string> => tokens[Math.min((asked += 1), 2) - 1] ?? '';
    const client = world.keep(await useYourTokens(world.url, fetchToken, () => undefined));
    await until(() => client.synced.get());
    expect([client.user.get()?.id, asked >= 2]).toEqual([ada.id, true]);
  },

  async 'keep-offline.ts'(world) {
    const { ada, adas, id } = await pair(world);
    await adas.close();
    const drawn: number[] = [];
    const draw = (conversations: readonly unknown[]): void => void drawn.push(conversations.length);
    const first = await startOffline(world.url, ada.session, draw);
    await until(() => first.synced.get());
    first.disconnect();
    first.open(id).send('written in a tunnel');
    await first.close();
    const second = world.keep(await startOffline(world.url, ada.session, draw));
    const conversation = second.open(id);
    expect(drawn).toEqual([0, 1]);
    await until(() => conversation.messages.get()[0]?.status === 'delivered');
    expect(conversation.messages.get().map(({ text }) => text)).toEqual(['written in a tunnel']);
  },

  async 'start-a-conversation.ts'(world) {
    const { adas, bob, bobs, id } = await pair(world);
    expect((await talkTo(adas, bob.username))?.id).toBe(id);
    const group = await startGroup(adas, 'Engines', [bob]);
    await until(() => bobs.conversations.get().some(({ name }) => name === 'Engines'));
    expect(group).toMatchObject({ type: 'group', name: 'Engines', memberCount: 2, me: { role: 'owner' } });
  },

  async 'list-conversations.ts'(world) {
    const { adas, bobs, id, ada } = await pair(world);
    const drawn: string[][] = [];
    const end = showConversations(bobs, (lines) => drawn.push(lines));
    await adas.open(id).send('hello').done;
    await until(() => drawn.at(-1)?.[0] === `${ada.username}: hello (1 unread)`);
    end();
    expect(drawn[0]).toEqual([`${ada.username}:  (0 unread)`]);
  },

  async 'show-messages.ts'(world) {
    const { ada, bobs, id } = await pair(world);
    for (let count = 0; count < 60; count += 1) {
      const clientMsgId = crypto.randomUUID();
      await ada.api('messagesSend', { params: { id }, body: { clientMsgId, text: `message ${count}` } });
    }
    let shown: readonly MessageView[] = [];
    const conversation = await showMessages(bobs, id, (messages) => (shown = messages));
    await until(() => shown.length === 60 && bobs.conversations.get()[0]?.me.unread === 0);
    expect(shown.map(({ text }) => text)).toEqual(Array.from({ length: 60 }, (_, count) => `message ${count}`));
    conversation.close();
  },

  async 'send-a-message.ts'(world) {
    const { adas, id } = await pair(world);
    const conversation = adas.open(id);
    expect(await say(conversation, 'hello')).toBe('number 2');
    expect(await say(conversation, ' ')).toMatch(/^[0-9a-f-]{36} was refused: EMPTY_MESSAGE \(trace [0-9a-f]{32}\)$/);
    expect(conversation.messages.get().map(({ text, status }) => `${text} ${status}`)).toEqual([
      expect.stringMatching(/^hello (sent|delivered)$/),
      '  failed',
    ]);
  },

  async 'edit-and-delete.ts'(world) {
    const { adas, bobs, id } = await pair(world);
    const [mine, theirs] = [adas.open(id), bobs.open(id)];
    const { message, done } = mine.send('helo');
    // Not sent yet, and corrected already.
    await correct(mine, message, 'hello');
    const { seq } = await done;
    await until(() => theirs.messages.get()[0]?.text === 'hello');
    expect(theirs.messages.get()[0]).toMatchObject({ seq, editedAt: expect.any(String) });
    await takeBack(mine, message);
    await until(() => theirs.messages.get()[0]?.deletedAt !== undefined);
    expect(mine.messages.get()[0]).toMatchObject({ seq, text: '', changing: false, deletedAt: expect.any(String) });
  },

  async 'who-is-there.ts'(world) {
    const { adas, ada, bob, bobs, id } = await pair(world);
    const [mine, theirs] = [adas.open(id), bobs.open(id)];
    const lines: string[] = [];
    const end = watchPeople(adas, mine, [bob.id], (line) => lines.push(line));
    await until(() => lines.at(-1) === '1 online, 0 typing');
    // Typing is told to who listens at that moment, so one key may go unheard.
    await until(() => {
      keyPressed(theirs);
      return lines.at(-1) === '1 online, 1 typing';
    });
    await until(() => lines.at(-1) === '1 online, 0 typing');
    await bobs.close();
    await until(() => lines.at(-1) === '0 online, 0 typing');
    end();
    expect(theirs.typing.get()).not.toContain(ada.id);
  },

  async 'attach-a-file.ts'(world) {
    const { adas, bobs, id } = await pair(world);
    const [mine, theirs] = [adas.open(id), bobs.open(id)];
    const percents: number[] = [];
    const file = new File([png], 'dot.png', { type: 'image/png' });
    const message = await sendFile(adas, mine, file, (percent) => percents.push(percent), new AbortController().signal);
    expect(message).toMatchObject({ type: 'image', attachments: [{ fileName: 'dot.png' }] });
    expect([percents[0], percents.at(-1)]).toEqual([0, 100]);
    await until(() => theirs.messages.get()[0]?.attachments[0]?.status === 'ready');
    const [[sent], ready] = [message.attachments, theirs.messages.get()[0]?.attachments[0]];
    // An image that is ready already is the one that is served: written anew, without what cameras put into it.
    expect(sent?.size).toBe(sent?.status === 'ready' ? ready?.size : png.length);
  },
};
