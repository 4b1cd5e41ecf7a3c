// What the files that build, deliver and run the platform promise. The chart is rendered by the real helm.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { renderObjects, root } from '../chart.mjs';
import { findKubernetesTools } from '../tools.mjs';

const read = (path) => readFileSync(join(root, path), 'utf8');
const yaml = (path) => parse(read(path));
const services = ['auth', 'chat', 'gateway', 'media', 'push'];
const external = {
  bundled: false,
  mongodb: { url: 'mongodb://db/?replicaSet=rs0' },
  redis: { url: 'redis://r' },
  nats: { url: 'nats://n' },
  s3: { endpoint: 'https://s3.example.com' },
};

let helm = '';
const render = (values) => renderObjects(helm, values);
const find = (objects, kind, name) =>
  objects.find((object) => object.kind === kind && object.metadata.name === `bluewave-${name}`);

before(async () => {
  ({ helm } = await findKubernetesTools());
});

describe('the images', () => {
  it('given the Dockerfile, then it has stages, runs as 1000 with node as process 1, and brings no compiler along', () => {
    const dockerfile = read('Dockerfile');
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(stages, ['manifests', 'toolchain', 'build', 'dependencies', 'assemble', 'warm', 'dev', 'runtime']);
    const runtime = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    assert.match(runtime, /^USER 1000:1000$/m);
    assert.match(runtime, /^CMD \["node", "main\.js"\]$/m);
    assert.match(runtime, /org\.opencontainers\.image\.version=/);
    assert.doesNotMatch(runtime, /RUN|npm/);
    assert.match(dockerfile, /npm ci .*--omit=dev --workspace/);
  });
});

describe('continuous integration and care', () => {
  it('given the workflows, then every push and pull request is checked, tested and built, with read rights only', () => {
    const ci = yaml('.github/workflows/ci.yml');
    assert.deepEqual(ci.permissions, { contents: 'read' });
    assert.ok('pull_request' in ci.on && ci.on.push.branches.includes('main'));
    const commands = Object.values(ci.jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
    assert.ok(commands.includes('.ci/run') && commands.some((command) => command.includes('scripts/images.mjs')));
    for (const script of ['check', 'check:deploy', 'test'])
      assert.match(read('.ci/run'), new RegExp(`\\b${script}\\b`));
  });

  it('given Dependabot and CodeQL, then npm, actions and base images are watched, and the sources analysed weekly', () => {
    const watched = yaml('.github/dependabot.yml').updates.map((update) => update['package-ecosystem']);
    assert.deepEqual(watched.sort(), ['docker', 'github-actions', 'npm']);
    const codeql = yaml('.github/workflows/codeql.yml');
    assert.ok(codeql.on.schedule[0].cron);
    const init = codeql.jobs.analyze.steps.find(({ uses }) => uses.includes('codeql-action/init'));
    assert.equal(init.with.languages, 'javascript-typescript');
  });
});

describe('local development', () => {
  it('given compose, then every engine has a health check that `up --wait` waits for', () => {
    const { services: engines } = yaml('compose.yaml');
    assert.deepEqual(Object.keys(engines).sort(), ['mongodb', 'nats', 'redis', 's3']);
    for (const engine of Object.values(engines)) assert.ok(engine.healthcheck.retries >= 5);
  });

  it('given skaffold dev, then sources are synced into every service, logins printed; debug and prod are profiles', () => {
    const { profiles } = yaml('skaffold.yaml');
    const named = (name) => profiles.find((profile) => profile.name === name);
    const { build, patches } = named('dev');
    assert.deepEqual(
      build.artifacts.map(({ image }) => image),
      services.map((service) => `bluewave/${service}`),
    );
    for (const { sync, docker } of build.artifacts) {
      assert.equal(docker.target, 'dev');
      assert.ok(sync.manual.some(({ src }) => src === 'services/*/src/**/*.ts'));
    }
    const hooks = patches.find(({ path }) => path === '/deploy/helm/hooks').value.after;
    assert.ok(hooks[0].host.command.includes('scripts/deploy/demo-logins.mjs'));
    assert.deepEqual(named('debug').activation, [{ command: 'debug' }]);
    const prod = named('prod').patches.find(({ path }) => path.endsWith('/setValues')).value;
    assert.deepEqual(prod, { environment: 'production', 'engines.bundled': false });
  });

  it('given the environments, then development echoes and production refuses to', async () => {
    assert.match(read('.env.example'), /MONGODB_URL/);
    const base = await render({});
    assert.equal(find(base, 'ConfigMap', 'auth').data.BLUEWAVE_ENV, 'production');
    assert.equal(find(base, 'ConfigMap', 'auth').data.DEV_ECHO_CODES, undefined);
    const staging = await render({ environment: 'development', auth: { env: { DEV_ECHO_CODES: 'true' } } });
    assert.equal(find(staging, 'ConfigMap', 'auth').data.DEV_ECHO_CODES, 'true');
  });
});

describe('the chart', () => {
  it('given any service, then a new pod is started, asked whether it is ready, and asked for its event loop only', async () => {
    const objects = await render({});
    for (const service of services) {
      const [container] = find(objects, 'Deployment', service).spec.template.spec.containers;
      const { startupProbe, readinessProbe, livenessProbe } = container;
      assert.deepEqual([readinessProbe.httpGet.path, livenessProbe.httpGet.path], ['/readyz', '/healthz']);
      // Longer than a start waits for its database.
      assert.ok(startupProbe.periodSeconds * startupProbe.failureThreshold > 90);
      assert.deepEqual(find(objects, 'Deployment', service).spec.strategy.rollingUpdate, {
        maxUnavailable: 0,
        maxSurge: 1,
      });
    }
  });

  it('given ingress or Gateway API, then TLS ends there and WebSockets have no time limit; clients can be kept on a gateway', async () => {
    const objects = await render({
      ingress: { enabled: true, tlsSecret: 'chat-tls', hosts: ['chat.example.com'] },
      gatewayApi: { enabled: true, parentRefs: [{ name: 'public' }] },
      gateway: { service: { sessionAffinity: 'ClientIP' } },
    });
    const { tls, rules } = find(objects, 'Ingress', 'gateway').spec;
    assert.deepEqual(tls, [{ secretName: 'chat-tls', hosts: ['chat.example.com'] }]);
    assert.equal(rules[0].http.paths[0].backend.service.name, 'bluewave-gateway');
    assert.equal(find(objects, 'HTTPRoute', 'gateway').spec.rules[0].timeouts.request, '0s');
    assert.equal(find(objects, 'Service', 'gateway').spec.sessionAffinity, 'ClientIP');
  });

  it('given KEDA, then gateways follow their sockets and push the entries that wait', async () => {
    const keda = { enabled: true };
    const objects = await render({ gateway: { keda }, push: { keda }, media: { keda } });
    const trigger = (service) => find(objects, 'ScaledObject', service).spec.triggers[0];
    assert.match(trigger('gateway').metadata.query, /^sum\(bluewave_gateway_sockets\{/);
    assert.equal(trigger('push').type, 'nats-jetstream');
    assert.equal(trigger('push').metadata.stream, 'BLUEWAVE_ENTRIES');
    assert.equal(trigger('push').metadata.lagThreshold, '200');
    assert.equal(find(objects, 'Deployment', 'gateway').spec.replicas, undefined);
  });

  it('given monitoring, then every service is scraped, and dashboards and alerts come along', async () => {
    const objects = await render({
      monitoring: { serviceMonitors: { enabled: true }, rules: { enabled: true }, dashboards: { enabled: true } },
    });
    const kinds = (kind) => objects.filter((object) => object.kind === kind);
    assert.ok(kinds('ServiceMonitor').length > 0);
    const [rules] = kinds('PrometheusRule');
    assert.ok(rules.spec.groups.flatMap((group) => group.rules).length >= 10);
    const boards = kinds('ConfigMap').filter(({ metadata }) => metadata.labels?.grafana_dashboard === '1');
    const titles = boards.flatMap(({ data }) => Object.values(data)).map((text) => JSON.parse(text).title);
    assert.deepEqual(new Set(titles), new Set(['Bluewave: messages', 'Bluewave: processes']));
  });

  it('given an error hook for all, then each service is told where its file is, beside files of its own', async () => {
    const errorHook = { env: 'ERROR_HOOK', file: 'sentry.mjs', existingSecret: 'our-hook' };
    const objects = await render({ defaults: { secretFiles: { errorHook } } });
    for (const service of services) {
      const { containers, volumes } = find(objects, 'Deployment', service).spec.template.spec;
      const [{ env, volumeMounts }] = containers;
      const path = '/etc/bluewave/error-hook';
      assert.equal(env.find(({ name }) => name === 'ERROR_HOOK').value, `${path}/sentry.mjs`);
      assert.ok(volumeMounts.some(({ mountPath, readOnly }) => mountPath === path && readOnly));
      assert.ok(volumes.some(({ secret }) => secret?.secretName === 'our-hook'));
    }
    const [auth] = find(objects, 'Deployment', 'auth').spec.template.spec.containers;
    assert.ok(auth.env.some(({ name }) => name === 'TOKEN_KEYS_FILE'));
  });

  it('given two releases side by side, then they share nothing but the engines that both are given', async () => {
    const blue = await renderObjects(helm, { engines: external }, { release: 'blue' });
    const green = await renderObjects(helm, { engines: external }, { release: 'green' });
    const names = (objects) => new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
    assert.deepEqual(
      [...names(blue)].filter((name) => names(green).has(name)),
      [],
    );
  });

  it('given the overlays, then dev brings its engines and prod asks for yours', () => {
    const kinds = (overlay) => yaml(`k8s/overlays/${overlay}/kustomization.yaml`).resources.join(' ');
    assert.match(kinds('dev'), /mongodb-statefulset/);
    assert.doesNotMatch(kinds('prod'), /statefulset/);
    assert.match(kinds('prod'), /horizontalpodautoscaler/);
    assert.ok(parseAllDocuments(read('k8s/overlays/dev/namespace.yaml')).length > 0);
  });
});
