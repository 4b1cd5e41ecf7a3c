// What a schema cannot say: pods are restricted, references lead somewhere, Services find pods.
import { nameOf, podOf } from './chart.mjs';

const containersOf = (pod) => [...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])];
const matches = (selector, labels) => Object.entries(selector).every(([key, value]) => labels?.[key] === value);

/** Pod Security *restricted*, a read-only root, bounded resources, no service account token but for hooks. */
function podFindings(object, pod, { writableRoot }) {
  const findings = [];
  const need = (condition, text) => condition || findings.push(`${nameOf(object)}: ${text}`);
  const security = pod.spec.securityContext ?? {};
  need(security.runAsNonRoot === true && security.runAsUser > 0, 'pod has to run as a user other than root');
  need(security.seccompProfile?.type === 'RuntimeDefault', 'pod needs seccompProfile RuntimeDefault');
  need(!pod.spec.hostNetwork && !pod.spec.hostPID && !pod.spec.hostIPC, 'pod may not share host namespaces');
  const hook = object.metadata.annotations?.['helm.sh/hook'] !== undefined;
  need(hook || pod.spec.automountServiceAccountToken === false, 'pod may not carry a service account token');
  for (const container of containersOf(pod)) {
    const own = container.securityContext ?? {};
    const where = `container ${container.name}`;
    need(own.allowPrivilegeEscalation === false, `${where} allows privilege escalation`);
    need(own.capabilities?.drop?.includes('ALL') && !own.capabilities.add, `${where} has to drop ALL capabilities`);
    need(writableRoot || own.readOnlyRootFilesystem === true, `${where} needs a read-only root`);
    need(container.resources?.limits?.memory && container.resources.requests?.cpu, `${where} needs resources`);
    need(
      /^[^\s]+:[^:/\s]+$/.test(container.image) && !container.image.endsWith(':latest'),
      `${where}: image ${container.image}`,
    );
  }
  const volumes = pod.spec.volumes ?? [];
  for (const volume of volumes) need(!volume.hostPath, `volume ${volume.name} is a host path`);
  return findings;
}

function workloadFindings(object, pod, { writableRoot }) {
  const findings = [];
  const need = (condition, text) => condition || findings.push(`${nameOf(object)}: ${text}`);
  const selector = object.spec.selector?.matchLabels;
  if (selector) need(matches(selector, pod.metadata?.labels), 'selector does not match its own pods');
  if (object.kind !== 'Deployment') return findings;
  const [container] = pod.spec.containers;
  for (const probe of ['startupProbe', 'readinessProbe']) need(container[probe], `has no ${probe}`);
  // Sources that are watched outlive their mistakes.
  need(writableRoot || container.livenessProbe?.httpGet?.path === '/healthz', 'liveness has to ask /healthz');
  need(container.readinessProbe?.httpGet?.path === '/readyz', 'readiness has to ask /readyz');
  const grace = pod.spec.terminationGracePeriodSeconds;
  const sleep = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
  need(grace >= sleep + 30, `${grace} s of grace are too few for preStop ${sleep} s and 30 s of draining`);
  return findings;
}

/** Names of ConfigMaps, Secrets and ServiceAccounts that a pod needs. */
function referencesOf(pod) {
  const found = [];
  if (pod.spec.serviceAccountName) found.push(['ServiceAccount', pod.spec.serviceAccountName]);
  for (const { name } of pod.spec.imagePullSecrets ?? []) found.push(['Secret', name]);
  for (const container of containersOf(pod)) {
    for (const source of container.envFrom ?? []) {
      if (source.configMapRef) found.push(['ConfigMap', source.configMapRef.name]);
      if (source.secretRef) found.push(['Secret', source.secretRef.name]);
    }
    for (const { valueFrom } of container.env ?? []) {
      if (valueFrom?.secretKeyRef) found.push(['Secret', valueFrom.secretKeyRef.name, valueFrom.secretKeyRef.key]);
    }
  }
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.configMap) found.push(['ConfigMap', volume.configMap.name]);
    if (volume.secret)
      found.push(['Secret', volume.secret.secretName, ...(volume.secret.items ?? []).map((i) => i.key)]);
  }
  return found;
}

function referenceFindings(objects, made) {
  const findings = [];
  const byName = new Map(objects.map((object) => [nameOf(object), object]));
  for (const object of objects) {
    const pod = podOf(object);
    if (!pod) continue;
    for (const [kind, name, ...keys] of referencesOf(pod)) {
      const target = byName.get(`${kind}/${name}`);
      if (!target && !made(kind, name)) findings.push(`${nameOf(object)}: there is no ${kind}/${name}`);
      const held = { ...target?.data, ...target?.stringData };
      for (const key of target ? keys : []) {
        if (!(key in held)) findings.push(`${nameOf(object)}: ${kind}/${name} has no key ${key}`);
      }
    }
    const mounts = containersOf(pod).flatMap((container) => container.volumeMounts ?? []);
    const claims = (object.spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata.name);
    const volumes = new Set([...(pod.spec.volumes ?? []).map((volume) => volume.name), ...claims]);
    for (const { name } of mounts)
      if (!volumes.has(name)) findings.push(`${nameOf(object)}: there is no volume ${name}`);
  }
  return findings;
}

function serviceFindings(objects) {
  const pods = objects.map((object) => podOf(object)).filter(Boolean);
  return objects
    .filter((object) => object.kind === 'Service')
    .flatMap((service) => {
      const chosen = pods.filter((pod) => matches(service.spec.selector, pod.metadata?.labels));
      if (chosen.length !== 1) return [`${nameOf(service)}: selects ${chosen.length} kinds of pods, not 1`];
      const names = chosen[0].spec.containers.flatMap((container) => container.ports ?? []).map((port) => port.name);
      const lost = service.spec.ports.filter((port) => !names.includes(port.targetPort));
      return lost.map((port) => `${nameOf(service)}: no container port is named ${port.targetPort}`);
    });
}

/**
 * Findings about a whole rendering, one line each.
 * @param secrets names of Secrets that somebody else makes; `tls` stands for those of mutual TLS
 */
export function objectFindings(objects, { secrets, writableRoot, release = 'bluewave' }) {
  const isTls = (name) => secrets.includes('tls') && name.startsWith(`${release}-`) && name.endsWith('-tls');
  const made = (kind, name) => kind === 'Secret' && (secrets.includes(name) || isTls(name));
  const seen = new Set();
  const findings = [];
  for (const object of objects) {
    const name = nameOf(object);
    if (seen.has(name)) findings.push(`${name}: rendered twice`);
    seen.add(name);
    const pod = podOf(object);
    if (pod)
      findings.push(...podFindings(object, pod, { writableRoot }), ...workloadFindings(object, pod, { writableRoot }));
  }
  return [...findings, ...referenceFindings(objects, made), ...serviceFindings(objects)];
}

/** The door and the way to chat: names and shapes that others rely on. */
export function doorFindings(objects, release = 'bluewave') {
  const service = (name) => objects.find((object) => object.kind === 'Service' && object.metadata.name === name);
  const findings = [];
  if (service(`${release}-gateway`)?.spec.ports[0]?.port !== 80)
    findings.push(`Service/${release}-gateway: has to be port 80`);
  if (service(`${release}-chat`)?.spec.clusterIP !== 'None')
    findings.push(`Service/${release}-chat: has to be headless`);
  return findings;
}
