// Reads NetworkPolicies as arrows: who may connect to whom. A connection needs the sender's egress and the receiver's
// ingress; the two have to say the same, and together they have to be the arrows of the architecture.
import { nameOf } from './chart.mjs';

/** The arrows between services. */
const calls = {
  gateway: ['auth', 'chat', 'media', 'push'],
  push: ['auth', 'chat'],
  media: [],
  auth: [],
  chat: [],
};
/** The engines of each service. */
const engines = {
  auth: ['mongodb', 'nats', 'redis'],
  chat: ['mongodb', 'nats'],
  gateway: ['nats', 'redis'],
  media: ['mongodb', 'nats', 's3'],
  push: ['mongodb', 'nats', 'redis'],
};

const component = 'app.kubernetes.io/component';

function expected(bundled) {
  const arrows = new Set();
  for (const [from, targets] of Object.entries(calls)) for (const to of targets) arrows.add(`${from} -> ${to}`);
  if (!bundled) return arrows;
  for (const [from, targets] of Object.entries(engines)) for (const to of targets) arrows.add(`${from} -> ${to}`);
  return arrows.add('mongodb-setup -> mongodb');
}

function componentsOf(peers) {
  return (peers ?? []).map((peer) => peer.podSelector?.matchLabels?.[component]).filter(Boolean);
}

/** Findings, one line each; none when the policies are exactly the arrows. */
export function arrowFindings(objects, { bundled }) {
  const policies = objects.filter((object) => object.kind === 'NetworkPolicy');
  const findings = [];
  const out = new Set();
  const into = new Set();
  const denies = policies.find((policy) => !policy.spec.podSelector.matchLabels?.[component]);
  if (!denies || denies.spec.ingress || denies.spec.egress) findings.push('NetworkPolicy: no policy denies by default');
  for (const policy of policies) {
    if (policy.spec.policyTypes?.length !== 2) findings.push(`${nameOf(policy)}: has to govern ingress and egress`);
    const own = policy.spec.podSelector.matchLabels?.[component];
    for (const rule of policy.spec.egress ?? []) {
      for (const to of componentsOf(rule.to)) out.add(`${own} -> ${to}`);
      if (!rule.to) findings.push(`${nameOf(policy)}: egress to everywhere on port ${rule.ports?.[0]?.port}`);
    }
    for (const rule of policy.spec.ingress ?? []) {
      for (const from of componentsOf(rule.from)) into.add(`${from} -> ${own}`);
      if (!rule.from && own !== 'gateway') findings.push(`${nameOf(policy)}: ingress from everywhere`);
    }
  }
  const wanted = expected(bundled);
  for (const arrow of wanted) {
    if (!out.has(arrow)) findings.push(`network policies: the sender may not ${arrow}`);
    if (!into.has(arrow)) findings.push(`network policies: the receiver refuses ${arrow}`);
  }
  for (const arrow of new Set([...out, ...into]))
    if (!wanted.has(arrow)) findings.push(`network policies: ${arrow} is no arrow`);
  return findings;
}
