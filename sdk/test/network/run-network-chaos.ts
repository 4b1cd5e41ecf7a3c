import { type Api, BluewaveError, createApi, type Entry, type Session } from '@bluewave/sdk';
import { ChaosDevice } from './chaos-device.ts';
import { checkDevice, type Violations } from './check-device.ts';
import type { FaultyLinks } from './faulty-link.ts';
import { openLinks } from './open-links.ts';
import { pick, seededRandom } from './seeded-random.ts';

export type NetworkChaosOptions = { seconds: number; seed: number; report: (line: string) => void };

export type NetworkChaosResult = {
  seconds: number;
  seed: number;
  network: FaultyLinks['kind'];
  devices: number;
  sent: number;
  applied: number;
  reconnects: number;
  reloads: number;
  faults: Record<string, number>;
  /** Operations without a definitive answer at the end. */
  unresolved: number;
  /** Devices that did not come to the head in time. */
  behind: number;
  settledMs: number;
  problems: string[];
  passed: boolean;
} & Violations;

type Person = { session: Session; api: Api };
type Scene = { people: Person[]; devices: ChaosDevice[]; group: string; direct: string };

const settleMs = 40_000;

/** Devices behind bad networks talk to each other, are reloaded, removed and added again; then everything is compared. */
export async function runNetworkChaos(
  gateways: readonly string[],
  { seconds, seed, report }: NetworkChaosOptions,
): Promise<NetworkChaosResult> {
  const random = seededRandom(seed);
  const links = await openLinks(random);
  const scene = await createScene(gateways, links, random);
  const { devices } = scene;
  const faults: Record<string, number> = {};
  try {
    for (const device of devices) await device.start();
    report(`${devices.length} devices for ${seconds} s, seed ${seed}`);
    const until = performance.now() + seconds * 1_000;
    const isOver = (): boolean => performance.now() > until;
    const all = [
      ...devices.flatMap((device) => [talk(scene, device, random, isOver), spoil(device, random, isOver, faults)]),
      revolve(scene, random, isOver),
    ];
    await Promise.all(all);
    report('the network is good again');
    for (const { proxy } of devices) await proxy.heal();
    const started = performance.now();
    await settled(scene);
    const settledMs = Math.round(performance.now() - started);
    return { seconds, seed, network: links.kind, ...(await judge(scene)), faults, settledMs };
  } finally {
    for (const { client, proxy } of devices) {
      await client.close();
      await proxy.close();
    }
    await links.close();
  }
}

async function createScene(gateways: readonly string[], links: FaultyLinks, random: () => number): Promise<Scene> {
  const people: Person[] = [];
  for (let count = 0; count < 4; count += 1) people.push(await register(pick(random, gateways)));
  const [first, second, ...others] = people as [Person, Person, ...Person[]];
  const memberIds = [second, ...others].map(({ session }) => session.user.id);
  const group = await first.api('conversationsCreate', { body: { type: 'group', name: 'Chaos', memberIds } });
  const direct = await first.api('conversationsCreate', { body: { type: 'direct', userId: second.session.user.id } });
  const devices: ChaosDevice[] = [];
  for (const [at, { session }] of [...people, await again(gateways, first)].entries()) {
    const proxy = await links.open(gateways[at % gateways.length] ?? '');
    devices.push(new ChaosDevice(`device ${at}`, session, proxy));
  }
  return { people, devices, group: group.id, direct: direct.id };
}

const password = 'a long enough password';

async function register(url: string): Promise<Person> {
  const username = `n${Math.random().toString(36).slice(2, 12)}${Date.now().toString(36)}`;
  const body = { email: `${username}@example.com`, username, password };
  const session = await createApi({ url })('authRegister', { body });
  const tokens = { get: async () => session.accessToken, reject: () => undefined };
  return { session, api: createApi({ url, tokens }) };
}

/** Another device of somebody. */
async function again(gateways: readonly string[], { session, api }: Person): Promise<Person> {
  const body = { identifier: session.user.username, password };
  return { session: await createApi({ url: gateways[0] ?? '' })('authLogin', { body }), api };
}

async function talk(scene: Scene, device: ChaosDevice, random: () => number, isOver: () => boolean): Promise<void> {
  const isInDirect = scene.people.slice(0, 2).some(({ session }) => session.user.id === device.userId);
  // The last person is removed and added all the time: what they send may rightly be refused.
  const sends = device.userId !== scene.people.at(-1)?.session.user.id;
  while (!isOver()) {
    await pause(random() * 400);
    const what = random();
    const conversation = isInDirect && random() < 0.4 ? scene.direct : scene.group;
    if (what < 0.02) await device.reload();
    else if (sends && what < 0.15) await device.edit(conversation);
    else if (sends) device.send(conversation);
  }
}

const faultKinds = ['reset', 'freeze', 'mute', 'refuse', 'delay', 'throttle', 'heal', 'heal'] as const;

async function spoil(
  { proxy }: ChaosDevice,
  random: () => number,
  isOver: () => boolean,
  faults: Record<string, number>,
): Promise<void> {
  while (!isOver()) {
    await pause(200 + random() * 2_500);
    const kind = pick(random, faultKinds);
    faults[kind] = (faults[kind] ?? 0) + 1;
    if (kind === 'reset') await proxy.reset();
    else if (kind === 'freeze') await proxy.freeze();
    else if (kind === 'mute') await proxy.mute();
    else if (kind === 'delay') await proxy.setLink({ delayMs: 50 + random() * 300, jitterMs: 300 });
    else if (kind === 'throttle') await proxy.setLink({ bytesPerSecond: 2_000 + random() * 20_000 });
    else if (kind === 'heal') await proxy.heal();
    else await proxy.setLink({ refuses: true });
  }
}

/** The last person leaves the group and comes back, again and again, by the hand of the first. */
async function revolve({ people, group }: Scene, random: () => number, isOver: () => boolean): Promise<void> {
  const [first] = people;
  const userId = people.at(-1)?.session.user.id ?? '';
  while (!isOver()) {
    await pause(1_000 + random() * 3_000);
    await persist(() => first?.api('membersRemove', { params: { id: group, userId } }));
    await pause(random() * 1_500);
    await persist(() => first?.api('membersAdd', { params: { id: group }, body: { userIds: [userId] } }));
  }
}

/** Until it is done: a busy machine may answer too late. Who is gone already is gone. */
async function persist<T>(ask: () => Promise<T> | undefined): Promise<T | undefined> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof BluewaveError)) throw error;
      if (error.code === 'NOT_FOUND') return undefined;
      if (!error.retryable) throw error;
      await pause(500);
    }
  }
}

/** Waits until every device holds everything, for as long as that may take. */
async function settled(scene: Scene): Promise<void> {
  const until = performance.now() + settleMs;
  while (performance.now() < until) {
    const logs = await readLogs(scene);
    const waiting = await Promise.all(
      scene.devices.map(async (device) => (await device.open()) > 0 || isBehind(device, logs)),
    );
    if (!waiting.includes(true)) return;
    await pause(200);
  }
}

type Logs = Map<string, Entry[]>;

function isBehind(device: ChaosDevice, logs: Logs): boolean {
  const heads = device.heads();
  return device.client.conversations.get().some(({ id }) => heads.get(id) !== logs.get(id)?.at(-1)?.seq);
}

/** The logs as the platform holds them, over a good network. */
async function readLogs({ people, group, direct }: Scene): Promise<Logs> {
  const logs: Logs = new Map();
  for (const id of [group, direct]) {
    const entries: Entry[] = [];
    for (let more = true; more;) {
      const query = { after: entries.at(-1)?.seq ?? 0, limit: 200 };
      const page = await persist(() => people[0]?.api('entriesList', { params: { id }, query }));
      entries.push(...(page?.items ?? []));
      more = page?.hasMore ?? false;
    }
    logs.set(id, entries);
  }
  return logs;
}

async function judge(scene: Scene) {
  const logs = await readLogs(scene);
  const { devices } = scene;
  const violations: Violations = { lost: 0, duplicated: 0, reordered: 0, different: 0, unsent: 0, examples: [] };
  for (const device of devices) checkDevice(device, logs, violations);
  const open = await Promise.all(devices.map((device) => device.open()));
  const unresolved = open.reduce((sum, count) => sum + count, 0);
  const behind = devices.filter((device) => isBehind(device, logs)).length;
  const { examples, ...counts } = violations;
  const problems = devices.flatMap((device) => device.problems);
  return {
    devices: devices.length,
    sent: sum(devices.map(({ sent }) => sent.length)),
    applied: sum(devices.flatMap(({ stays }) => stays.map(({ entries }) => entries.length))),
    reconnects: sum(devices.map(({ reconnects }) => reconnects)),
    reloads: sum(devices.map(({ reloads }) => reloads)),
    unresolved,
    behind,
    problems,
    ...counts,
    examples,
    passed: sum([...Object.values(counts), unresolved, behind, problems.length]) === 0,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
