import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { connect, createServer } from 'node:tls';
import { issue } from '../../../helm/bluewave/files/x509.mjs';

const authority = issue({ commonName: 'demo-ca', days: 3_650 });
const issuer = { commonName: 'demo-ca', key: createPrivateKey(authority.key) };
const leaf = (commonName, from = issuer) =>
  issue({ commonName, dnsNames: [commonName, `demo-${commonName}`], days: 825, issuer: from });

describe('issue', () => {
  it('given an authority, then a certificate names its subject and verifies against it alone', () => {
    const certificate = new X509Certificate(leaf('chat').cert);
    const ca = new X509Certificate(authority.cert);
    const stranger = new X509Certificate(issue({ commonName: 'demo-ca', days: 10 }).cert);
    assert.equal(certificate.subject, 'CN=chat');
    assert.equal(certificate.subjectAltName, 'DNS:chat, DNS:demo-chat');
    assert.equal(certificate.checkIssued(ca), true);
    assert.equal(certificate.verify(ca.publicKey), true);
    assert.equal(certificate.verify(stranger.publicKey), false);
    assert.deepEqual([ca.ca, certificate.ca], [true, false]);
  });

  it('given a time, then the certificate holds from an hour before for that many days', () => {
    const now = new Date('2049-12-31T23:30:00Z');
    const certificate = new X509Certificate(issue({ commonName: 'late', days: 1, now }).cert);
    assert.equal(new Date(certificate.validFrom).toISOString(), '2049-12-31T22:30:00.000Z');
    assert.equal(new Date(certificate.validTo).toISOString(), '2050-01-01T23:30:00.000Z');
  });

  it('given both ends with certificates of one authority, then mutual TLS works, and a stranger is refused', async () => {
    const own = leaf('chat');
    const server = createServer({ ...own, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
    server.on('secureConnection', (socket) => socket.end(socket.getPeerCertificate().subject.CN));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const ask = (pair) =>
      new Promise((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1', servername: 'demo-chat', ca: authority.cert, ...pair });
        let heard = '';
        socket.on('data', (data) => (heard += data));
        socket.on('error', reject);
        socket.on('close', () => (heard === '' ? reject(new Error('closed without a word')) : resolve(heard)));
      });
    try {
      assert.equal(await ask(leaf('gateway')), 'gateway');
      const other = issue({ commonName: 'demo-ca', days: 10 });
      const stranger = leaf('gateway', { commonName: 'demo-ca', key: createPrivateKey(other.key) });
      await assert.rejects(ask(stranger));
    } finally {
      server.close();
    }
  });
});
