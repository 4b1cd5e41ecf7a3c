import { call, Listener, openDirect, register } from '../api-client.ts';
import { type Cluster, type Service, services } from './cluster.ts';
import { type Figure, figure, missed } from './figures.ts';
import { Load, type LoadResult, type Stretch } from './load.ts';
import type { Background } from './run-command.ts';

export type ClusterRunOptions = {
  chart: string;
  /** Further arguments of `helm install`, such as `--set image.tag=dev`. */
  helmArgs: readonly string[];
  /** Where the door answers; undefined: found by its Service. */
  url: string | undefined;
  serviceType: 'NodePort' | 'LoadBalancer';
  sockets: number;
  perSecond: number;
  seed: number;
  /** A free port on this machine, through which presigned URLs reach the bundled object storage. */
  s3Port: number;
  /** Runs the end-to-end suite against the door. @throws when a test fails */
  suite(url: string): Promise<string>;
  report(line: string): void;
};

export type ClusterResult = {
  passed: boolean;
  missed: string[];
  /** The step that failed, in one line. */
  failure: string | undefined;
  figures: Record<string, Figure>;
  suite: string | undefined;
  stretches: Stretch[];
  load: LoadResult | undefined;
  leftBehind: { claims: string[]; others: string[] };
};

const goals = { installSeconds: 90, rollP99Ms: 1_000 };

/** What the run needs of the installation: no limits for one address with hundreds of people, and codes to test with. */
const runSettings = (options: ClusterRunOptions): string[] =>
  Object.entries({
    environment: 'development',
    'auth.env.DEV_ECHO_CODES': 'true',
    'auth.env.RATE_LIMITS': 'off',
    'auth.env.ACCESS_TOKEN_SECONDS': '3600',
    'gateway.env.RATE_LIMITS': 'off',
    'gateway.env.ACCESS_TOKEN_SECONDS': '3600',
    'media.env.RATE_LIMITS': 'off',
    'gateway.service.type': options.serviceType,
    'engines.s3.publicEndpoint': `http://127.0.0.1:${options.s3Port}`,
  }).flatMap(([name, value]) => [name.includes('.env.') ? '--set-string' : '--set', `${name}=${value}`]);

/** The whole life of an installation: install, use, grow, shrink, lose pods, upgrade, go back, uninstall. */
export async function runCluster(cluster: Cluster, options: ClusterRunOptions): Promise<ClusterResult> {
  const story = new Story(cluster, options);
  await cluster.createNamespace();
  const failure = await story.live().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (failure !== undefined) options.report(`failed: ${failure}`);
  story.close();
  options.report('uninstalling');
  await cluster.helm(['uninstall', cluster.release, '--wait', '--timeout', '180s', '--ignore-not-found']);
  const leftBehind = await cluster.leftovers();
  const figures = { ...story.figures(), objectsLeftBesidesClaims: figure(leftBehind.others.length, 0) };
  const { suite, stretches, load } = story;
  const passed = failure === undefined && missed(figures).length === 0 && load?.clean === true;
  return { passed, missed: missed(figures), failure, figures, suite, stretches, load, leftBehind };
}

class Story {
  readonly #cluster: Cluster;
  readonly #options: ClusterRunOptions;
  readonly stretches: Stretch[] = [];
  suite: string | undefined;
  load: LoadResult | undefined;
  #installSeconds = Number.POSITIVE_INFINITY;
  #talking: Load | undefined;
  #forward: Background | undefined;

  constructor(cluster: Cluster, options: ClusterRunOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  async live(): Promise<void> {
    const { report } = this.#options;
    const url = await this.#install();
    report(`installed and talking after ${this.#installSeconds} s at ${url}`);
    await this.#cluster.helm(['test', this.#cluster.release, '--timeout', '120s']);
    report('helm test passed');
    this.#forward = await this.#cluster.forward(`service/${this.#cluster.release}-s3`, this.#options.s3Port, 7070);
    this.suite = await this.#options.suite(url);
    report(`end-to-end suite through the Service: ${this.suite}`);
    await this.#underLoad(url);
  }

  async #underLoad(url: string): Promise<void> {
    const { sockets, perSecond, seed, report } = this.#options;
    await this.#cluster.scale('gateway', 1);
    report(`connecting ${sockets} sockets to one gateway`);
    this.#talking = await Load.start({ url, sockets, perSecond, seed });
    await this.#stretch('calm', () => new Promise((resolve) => setTimeout(resolve, 10_000)));
    await this.#stretch('gateways 1 to 3', () => this.#cluster.scale('gateway', 3));
    await this.#stretch('gateways 3 to 1', () => this.#shrink());
    await this.#stretch('gateways 1 to 2', () => this.#cluster.scale('gateway', 2));
    await this.#stretch('one pod of each deleted', async () => {
      for (const service of services) await this.#deleteOne(service);
    });
    await this.#stretch('upgrade', () => this.#upgrade());
    await this.#stretch('rollback', () => this.#rollBack());
    report('settling, then comparing with the log');
    this.load = await this.#talking.finish();
  }

  async #stretch(name: string, work: () => Promise<void>): Promise<void> {
    this.#talking?.stretch('before');
    await work();
    const stretch = this.#talking?.stretch(name);
    if (!stretch) return;
    this.stretches.push(stretch);
    const { seconds, sent, deliveries, p50, p99, max } = stretch;
    const times = `p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms`;
    this.#options.report(`${name}: ${seconds} s, ${sent} sent, ${deliveries} deliveries, ${times}`);
  }

  /** Installs and sends one message. @returns the URL of the door */
  async #install(): Promise<string> {
    const { chart, helmArgs } = this.#options;
    const started = performance.now();
    const settings = runSettings(this.#options);
    const args = ['install', this.#cluster.release, chart, '--wait', '--timeout', '300s', ...settings, ...helmArgs];
    await this.#cluster.helm(args);
    const url = this.#options.url ?? (await this.#cluster.doorUrl());
    await firstMessage(url);
    this.#installSeconds = Math.round((performance.now() - started) / 100) / 10;
    return url;
  }

  async #shrink(): Promise<void> {
    await this.#cluster.scale('gateway', 1);
    await this.#cluster.waitPodsGone('gateway', 1);
  }

  async #deleteOne(service: Service): Promise<void> {
    const [pod] = await this.#cluster.podsOf(service);
    if (pod === undefined) throw new Error(`${service} has no pod`);
    await this.#cluster.kubectl(['delete', 'pod', pod, '--timeout=90s'], { timeoutMs: 95_000 });
    await this.#cluster.waitRolledOut(service);
  }

  /** Every pod of every service is replaced, as an upgrade to another image would. */
  async #upgrade(): Promise<void> {
    const rolled = `defaults.podAnnotations.rolled=at-${Date.now()}`;
    const { chart } = this.#options;
    const scaled = ['--set', 'gateway.replicas=2'];
    const args = ['upgrade', this.#cluster.release, chart, '--reset-then-reuse-values', '--set-string', rolled];
    await this.#cluster.helm([...args, ...scaled, '--wait', '--timeout', '300s']);
    await this.#allReplaced();
  }

  async #rollBack(): Promise<void> {
    await this.#cluster.helm(['rollback', this.#cluster.release, '--wait', '--timeout', '300s']);
    await this.#allReplaced();
  }

  /** Until the last of the pods that were replaced has sent its sockets elsewhere and ended: all of it counts. */
  async #allReplaced(): Promise<void> {
    for (const service of services) {
      await this.#cluster.waitRolledOut(service);
      const pods = await this.#cluster.podsOf(service);
      await this.#cluster.waitPodsGone(service, pods.length);
    }
  }

  figures(): Record<string, Figure> {
    const { verdict, failed, cutSockets } = this.load ?? {};
    const rolls = this.stretches.filter(({ name }) => name === 'upgrade' || name === 'rollback');
    const unknown = Number.POSITIVE_INFINITY;
    const worst = rolls.length === 2 ? Math.max(...rolls.map(({ p99 }) => p99)) : unknown;
    return {
      installToFirstMessageSeconds: figure(this.#installSeconds, goals.installSeconds),
      failedSends: figure(failed ?? unknown, 0),
      duplicates: figure(verdict?.duplicated ?? unknown, 0),
      holes: figure(verdict ? verdict.holes + verdict.lost + verdict.reordered : unknown, 0),
      socketsClosedWithoutCode: figure(cutSockets ?? unknown, 0),
      rollDeliveryP99Ms: figure(worst, goals.rollP99Ms),
    };
  }

  close(): void {
    this.#talking?.close();
    this.#forward?.close();
  }
}

const doorPatienceMs = 30_000;

/** Two people, one message, heard by the other. Tries again while the door's address is being set up. */
async function firstMessage(url: string): Promise<void> {
  const until = Date.now() + doorPatienceMs;
  for (;;) {
    try {
      const [one, other] = [await register(url), await register(url)];
      const id = await openDirect(url, one, other);
      const listener = await Listener.connect(url, other);
      const body = { clientMsgId: crypto.randomUUID(), text: 'first' };
      const sent = await call(url, 'POST', `/conversations/${id}/messages`, { token: one.token, body });
      if (sent.status !== 201) throw new Error(`sending answered ${sent.status}`);
      await listener.hears('message:new');
      return listener.close();
    } catch (error) {
      const { message, cause } = error instanceof Error ? error : new Error(String(error));
      const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
      if (Date.now() > until) throw new Error(`no message through ${url}: ${reason}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}
