import { type Background, CommandError, runCommand, startBackground } from './run-command.ts';

export const services = ['auth', 'chat', 'gateway', 'media', 'push'] as const;
export type Service = (typeof services)[number];

export type ClusterOptions = { helm: string; kubectl: string; namespace: string; release: string };

const rolloutMs = 300_000;
/** What Kubernetes itself puts into every namespace, and what merely records or follows other objects. */
const ofTheNamespace = /^(configmap\/kube-root-ca\.crt|serviceaccount\/default|event(\.events\.k8s\.io)?\/.*)$/;
const derived = /^(pod|endpoints|endpointslice\.discovery\.k8s\.io|podmetrics?\.metrics\.k8s\.io)\//;
const claims = /^persistentvolumeclaim\//;

/** One release in one namespace of the cluster of the current context. */
export class Cluster {
  readonly release: string;
  readonly namespace: string;
  readonly #helm: string;
  readonly #kubectl: string;

  constructor({ helm, kubectl, namespace, release }: ClusterOptions) {
    this.#helm = helm;
    this.#kubectl = kubectl;
    this.namespace = namespace;
    this.release = release;
  }

  kubectl(args: readonly string[], options: { timeoutMs?: number; input?: string } = {}): Promise<string> {
    return runCommand(this.#kubectl, ['--namespace', this.namespace, ...args], options);
  }

  helm(args: readonly string[], timeoutMs = rolloutMs + 30_000): Promise<string> {
    return runCommand(this.#helm, [...args, '--namespace', this.namespace], { timeoutMs });
  }

  /** A namespace that admits restricted pods alone. @throws CommandError when there is one of this name already. */
  async createNamespace(): Promise<void> {
    await this.kubectl(['create', 'namespace', this.namespace]);
    const labels = ['enforce', 'warn', 'audit'].map((mode) => `pod-security.kubernetes.io/${mode}=restricted`);
    await this.kubectl(['label', 'namespace', this.namespace, ...labels]);
  }

  async deleteNamespace(): Promise<void> {
    await this.kubectl(['delete', 'namespace', this.namespace, '--timeout=180s'], { timeoutMs: 190_000 });
  }

  async scale(service: Service, replicas: number): Promise<void> {
    await this.kubectl(['scale', `deployment/${this.release}-${service}`, `--replicas=${replicas}`]);
    await this.waitRolledOut(service);
  }

  async waitRolledOut(service: Service): Promise<void> {
    const deployment = `deployment/${this.release}-${service}`;
    const args = ['rollout', 'status', deployment, `--timeout=${rolloutMs / 1_000}s`];
    await this.kubectl(args, { timeoutMs: rolloutMs + 10_000 });
  }

  /** Names of the pods of a service that are not on their way out. */
  async podsOf(service: Service): Promise<string[]> {
    const selector = `app.kubernetes.io/instance=${this.release},app.kubernetes.io/component=${service}`;
    const list = JSON.parse(await this.kubectl(['get', 'pods', '--selector', selector, '--output', 'json'])) as {
      items: { metadata: { name: string; deletionTimestamp?: string } }[];
    };
    return list.items.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ metadata }) => metadata.name);
  }

  /** Waits until pods that are on their way out are gone. */
  async waitPodsGone(service: Service, wanted: number, timeoutMs = 90_000): Promise<void> {
    const selector = `app.kubernetes.io/instance=${this.release},app.kubernetes.io/component=${service}`;
    const until = Date.now() + timeoutMs;
    for (;;) {
      const names = await this.kubectl(['get', 'pods', '--selector', selector, '--output', 'name']);
      if (names.trim().split('\n').filter(Boolean).length <= wanted) return;
      if (Date.now() > until) throw new CommandError(`pods of ${service} are still there after ${timeoutMs / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }

  /** Where the door can be reached from here: its load balancer, else its port on a node. */
  async doorUrl(): Promise<string> {
    const service = JSON.parse(
      await this.kubectl(['get', 'service', `${this.release}-gateway`, '--output', 'json']),
    ) as {
      spec: { ports: { nodePort?: number }[] };
      status: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } };
    };
    const [balancer] = service.status.loadBalancer?.ingress ?? [];
    const balanced = balancer?.ip ?? balancer?.hostname;
    if (balanced) return `http://${balanced}`;
    const nodePort = service.spec.ports[0]?.nodePort;
    const nodes = JSON.parse(await this.kubectl(['get', 'nodes', '--output', 'json'])) as {
      items: { status: { addresses: { type: string; address: string }[] } }[];
    };
    const addresses = nodes.items.flatMap(({ status }) => status.addresses);
    const of = (type: string) => addresses.find((one) => one.type === type)?.address;
    const address = of('ExternalIP') ?? of('InternalIP');
    if (!nodePort || !address) throw new CommandError('the gateway has no address outside the cluster: give --url');
    return `http://${address}:${nodePort}`;
  }

  /** Forwards a local port to a Service until it is closed. */
  forward(target: string, localPort: number, port: number): Promise<Background> {
    const args = ['--namespace', this.namespace, 'port-forward', target, `${localPort}:${port}`];
    return startBackground(this.#kubectl, args, /^Forwarding from/);
  }

  /** What the release left in the namespace, volume claims apart. Waits for pods that are still ending. */
  async leftovers(timeoutMs = 120_000): Promise<{ claims: string[]; others: string[] }> {
    const kinds = (await this.kubectl(['api-resources', '--verbs=list', '--namespaced', '--output', 'name']))
      .trim()
      .split('\n')
      .join(',');
    const until = Date.now() + timeoutMs;
    for (;;) {
      const output = await this.kubectl(['get', kinds, '--output', 'name', '--ignore-not-found']);
      const names = [...new Set(output.split('\n').filter(Boolean))].filter((name) => !ofTheNamespace.test(name));
      const still = names.filter((name) => derived.test(name));
      if (still.length === 0 || Date.now() > until) {
        return {
          claims: names.filter((name) => claims.test(name)),
          others: names.filter((name) => !claims.test(name)),
        };
      }
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    }
  }
}
