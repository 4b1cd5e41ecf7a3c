import 'fake-indexeddb/auto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { runNetworkChaos } from './network/run-network-chaos.ts';
import {
  expectCatchUp,
  expectConvergence,
  expectOneMessageThroughReload,
  expectOneRefreshAfterOffline,
  expectRollBack,
  expectSendsThroughDrain,
  expectSignedOutWhenRevoked,
  expectUsersApart,
} from './support/platform-scenes.ts';
import { recipeScenes } from './support/recipe-scenes.ts';
import {
  expectContactsAndBlocks,
  expectDevicesAgree,
  expectMarksAndReplies,
  expectStarsAfterAbsence,
  expectRooms,
} from './support/together-scenes.ts';
import { World } from './support/world.ts';

const recipes = readdirSync(new URL('recipes/', import.meta.url)).sort((one, other) => (one < other ? -1 : 1));

describe('a client of a real platform', () => {
  let world: World;

  beforeAll(async () => {
    world = await World.create();
  }, 90_000);
  afterEach(() => world.tidy());
  afterAll(() => world.close(), 60_000);

  describe('the recipes of the README', () => {
    for (const name of recipes) {
      const recipe = readFileSync(new URL(`recipes/${name}`, import.meta.url), 'utf8');

      it(`given ${name}, when it is run, then it does what the README says, and the README shows it exactly`, async () => {
        const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
        expect(readme).toContain(`\`\`\`ts\n${recipe}\`\`\`\n`);
        const scene = recipeScenes[name];
        if (!scene) throw new Error(`nobody runs ${name}`);
        await scene(world);
      });
    }

    it('given the README, when its recipes are counted, then there are ten, and each has its file', () => {
      const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
      expect([recipes.length, Object.keys(recipeScenes).sort((one, other) => (one < other ? -1 : 1))]).toEqual([
        10,
        recipes,
      ]);
      expect(readme.match(/^### /gm)).toHaveLength(10);
    });
  });

  it('given a page that is reloaded in the middle of a send, when it is back, then the message is sent once', () =>
    expectOneMessageThroughReload(world));

  it('given a token that expires offline and a clock that jumps, when the network is back, then one refresh is enough', () =>
    expectOneRefreshAfterOffline(world));

  it('given a session that is revoked, when the platform says so, then the client is signed out', () =>
    expectSignedOutWhenRevoked(world));

  it('given somebody else who signs in on the same device, when they do, then nothing of before is shown or sent', () =>
    expectUsersApart(world));

  it('given refusals for good, when they come, then what was shown is rolled back and says why', () =>
    expectRollBack(world));

  it('given devices that missed much or everything, when they connect, then they have what they should, in order', () =>
    expectCatchUp(world));

  it('given several devices and members, when they read, leave and return, then all of them show the same', () =>
    expectConvergence(world));

  it('given two devices of one user, when one reads, stars, mutes, archives and pins, then the other one shows it, also after it was away', () =>
    expectDevicesAgree(world));

  it('given stars that change while a device is closed or long away, when it is back, then it shows them as they are', () =>
    expectStarsAfterAbsence(world));

  it('given reactions, pins and replies, when they come and go, then everybody sees the same, and a reload loses no reply', () =>
    expectMarksAndReplies(world));

  it('given a room, when it is made, found, joined, changed, handed over and deleted, then both who are in it see it', () =>
    expectRooms(world));

  it('given somebody, when they become a contact and are blocked, then the lists say so, and refusals are typed', () =>
    expectContactsAndBlocks(world));

  it(
    'given a gateway that drains, when messages are sent meanwhile, then none fails and each arrives once',
    () => expectSendsThroughDrain(world),
    40_000,
  );

  it('given devices behind networks that delay, cut, freeze and throttle, when it is over, then each saw exactly the log', async () => {
    const result = await runNetworkChaos(world.platform.gateways, { seconds: 20, seed: 5, report: () => undefined });
    expect(result).toMatchObject({
      lost: 0,
      duplicated: 0,
      reordered: 0,
      different: 0,
      unsent: 0,
      unresolved: 0,
      behind: 0,
      examples: [],
      problems: [],
      passed: true,
    });
    expect([result.sent > 50, result.reconnects > result.devices]).toEqual([true, true]);
  }, 90_000);
});
