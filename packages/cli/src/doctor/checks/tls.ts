import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { failed, type Finding, ok, unchecked, warning } from '../finding.ts';
import type { DoctorOptions } from '../options.ts';

const check = 'TLS';
const connectMs = 5_000;
const soonDays = 21;
const dayMs = 86_400_000;

/** The certificate of the door: trusted, of this name, not about to expire. */
export async function checkTls({ url, ca }: DoctorOptions): Promise<Finding[]> {
  if (url.protocol === 'http:') return [clearText(url)];
  const seen = await handshake(url, ca);
  if (typeof seen === 'string') {
    return [failed(check, `no TLS at ${url.host}: ${seen}`, 'Terminate TLS in the ingress, Gateway or load balancer.')];
  }
  const { socket, untrusted } = seen;
  const certificate = socket.getPeerCertificate();
  const protocol = socket.getProtocol() ?? 'unknown';
  socket.destroy();
  if (untrusted !== undefined) return [failed(check, untrusted, fixFor(untrusted))];
  const days = Math.floor((Date.parse(certificate.valid_to) - Date.now()) / dayMs);
  if (days < soonDays) {
    return [warning(check, `the certificate ends in ${days} days`, 'Renew it; see that cert-manager can.')];
  }
  return [ok(check, `${protocol}, a trusted certificate for ${days} more days`)];
}

function clearText({ hostname }: URL): Finding {
  if (['localhost', '127.0.0.1', '[::1]'].includes(hostname)) {
    return unchecked(
      check,
      'this is clear text on this machine',
      'Give the https:// address that clients use as --url.',
    );
  }
  const fix = 'Set ingress.tlsSecret, or a listener with a certificate on the Gateway, and give https:// as --url.';
  return failed(check, 'passwords and messages travel in clear text', fix);
}

function fixFor(untrusted: string): string {
  if (/expired/i.test(untrusted)) return 'Renew the certificate; see why cert-manager did not.';
  if (/ALTNAME|Hostname/i.test(untrusted)) return 'Issue the certificate for this host name, or correct --url.';
  return 'Serve the whole chain of a public CA, or name your own with --ca.';
}

/** @returns the socket and why it is not to be trusted, or why there was no handshake */
function handshake(url: URL, ca: string | undefined): Promise<{ socket: TLSSocket; untrusted?: string } | string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: url.hostname,
      port: Number(url.port || 443),
      minVersion: 'TLSv1.2',
      // What is wrong with the certificate is what we want to say: nothing is sent over this connection.
      rejectUnauthorized: false,
      ...(isIP(url.hostname) ? {} : { servername: url.hostname }),
      ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
      timeout: connectMs,
    });
    const give = (why: string): void => {
      socket.destroy();
      resolve(why);
    };
    socket.once('timeout', () => give(`no answer within ${connectMs / 1_000} s`));
    socket.once('error', (error) => give(error.message));
    socket.once('secureConnect', () => {
      const { authorizationError } = socket;
      if (socket.authorized || !authorizationError) return resolve({ socket });
      const untrusted = authorizationError instanceof Error ? authorizationError.message : String(authorizationError);
      resolve({ socket, untrusted });
    });
  });
}
