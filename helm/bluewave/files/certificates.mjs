// Certificates for mutual TLS between the services, kept in Secrets. Runs as a hook of the chart.
//   node certificates.mjs issue    makes what is missing, and renews what ends within 90 days; the authority is kept
//   node certificates.mjs remove   deletes what `issue` made (after the release is gone)
//   NAMESPACE, RELEASE, SERVICES (comma separated)
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { issue } from './x509.mjs';

const { NAMESPACE, RELEASE, SERVICES } = process.env;
const services = SERVICES.split(',');
const authorityName = `${RELEASE}-ca`;
const authorityDays = 3_650;
const days = 825;
const renewBeforeMs = 90 * 86_400_000;

const token = readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token', 'utf8');
const collection = `https://kubernetes.default.svc/api/v1/namespaces/${NAMESPACE}/secrets`;

/** Asks the API server; 404 answers undefined. */
async function ask(method, url, body) {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  if (response.status === 404) return undefined;
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${answer.message}`);
  return answer;
}

async function read(name) {
  const secret = await ask('GET', `${collection}/${name}`);
  if (!secret?.data?.['tls.crt'] || !secret.data['tls.key']) return undefined;
  const decode = (key) => Buffer.from(secret.data[key] ?? '', 'base64').toString();
  return { cert: decode('tls.crt'), key: decode('tls.key'), ca: decode('ca.crt') };
}

async function write(name, { cert, key, ca }) {
  const labels = { 'app.kubernetes.io/name': 'bluewave', 'app.kubernetes.io/instance': RELEASE };
  const metadata = { name, namespace: NAMESPACE, labels };
  const stringData = { 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca };
  const secret = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, stringData };
  const there = await ask('GET', `${collection}/${name}`);
  if (there) await ask('PUT', `${collection}/${name}`, secret);
  else await ask('POST', collection, secret);
}

const holds = (cert) => new Date(new X509Certificate(cert).validTo).getTime() - Date.now() > renewBeforeMs;

async function authority() {
  const kept = await read(authorityName);
  if (kept && holds(kept.cert)) return kept;
  const made = issue({ commonName: authorityName, days: authorityDays });
  await write(authorityName, { ...made, ca: made.cert });
  console.log(`${authorityName}: made`);
  return made;
}

async function issueAll() {
  const ca = await authority();
  const issuer = { commonName: authorityName, key: createPrivateKey(ca.key) };
  for (const service of services) {
    const secretName = `${RELEASE}-${service}-tls`;
    const host = `${RELEASE}-${service}`;
    const kept = await read(secretName);
    if (kept && holds(kept.cert) && kept.ca === ca.cert) {
      console.log(`${secretName}: kept`);
      continue;
    }
    const suffixes = ['', `.${NAMESPACE}`, `.${NAMESPACE}.svc`, `.${NAMESPACE}.svc.cluster.local`];
    const dnsNames = [service, ...suffixes.map((suffix) => host + suffix)];
    await write(secretName, { ...issue({ commonName: service, dnsNames, days, issuer }), ca: ca.cert });
    console.log(`${secretName}: made`);
  }
}

async function removeAll() {
  for (const name of [...services.map((service) => `${RELEASE}-${service}-tls`), authorityName]) {
    await ask('DELETE', `${collection}/${name}`);
    console.log(`${name}: removed`);
  }
}

await (process.argv[2] === 'remove' ? removeAll() : issueAll());
