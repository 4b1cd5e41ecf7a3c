import { createPrivateKey, createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { failed, type Finding, ok, reasonOf, unchecked } from '../finding.ts';
import type { DoctorOptions } from '../options.ts';

const check = 'FCM';
const askMs = 10_000;
const scope = 'https://www.googleapis.com/auth/firebase.messaging';

type Account = { project_id: string; client_email: string; private_key: string; token_uri: string };

/** The service account: it gets a token, and with it FCM lets the project send. Nothing is sent: the request is dry. */
export async function checkFcm(options: Pick<DoctorOptions, 'fcmCredentials' | 'fcmEndpoint'>): Promise<Finding[]> {
  const { fcmCredentials: file, fcmEndpoint } = options;
  if (file === undefined) return [unchecked(check, 'no service account', '--fcm-credentials service-account.json')];
  const account = readAccount(file);
  if (typeof account === 'string') {
    return [failed(check, account, 'Make a key in the Firebase console: Project settings, Service accounts.')];
  }
  const token = await tokenFor(account).catch((error: unknown) => ({ why: reasonOf(error) }));
  if (typeof token !== 'string') {
    const fix = 'The key may be deleted, the account disabled, the clock wrong, or port 443 closed: make a new key.';
    return [failed(check, `${account.client_email} gets no token: ${token.why}`, fix)];
  }
  return [await dryRun(fcmEndpoint ?? 'https://fcm.googleapis.com', account, token)];
}

function readAccount(file: string): Account | string {
  try {
    const account = JSON.parse(readFileSync(file, 'utf8')) as Partial<Account>;
    const missing = (['project_id', 'client_email', 'private_key', 'token_uri'] as const).filter(
      (name) => !account[name],
    );
    if (missing.length > 0) return `${file} is no service account: it lacks ${missing.join(', ')}`;
    createPrivateKey(account.private_key ?? '');
    return account as Account;
  } catch (error) {
    return `${file} cannot be used: ${reasonOf(error)}`;
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

async function tokenFor({ client_email: iss, private_key, token_uri: aud }: Account): Promise<string> {
  const iat = Math.floor(Date.now() / 1_000);
  const claim = `${encoded({ alg: 'RS256', typ: 'JWT' })}.${encoded({ iss, scope, aud, iat, exp: iat + 600 })}`;
  const signature = createSign('RSA-SHA256').update(claim).sign(private_key, 'base64url');
  const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  const answer = await fetch(aud, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: grant, assertion: `${claim}.${signature}` }),
    signal: AbortSignal.timeout(askMs),
  });
  const body = (await answer.json()) as { access_token?: string; error?: string; error_description?: string };
  if (!answer.ok || !body.access_token)
    throw new Error(`${answer.status} ${body.error_description ?? body.error ?? ''}`);
  return body.access_token;
}

/** A message to a token that is none: FCM looks at the permission first, then finds the token wanting. */
async function dryRun(endpoint: string, { project_id: project }: Account, token: string): Promise<Finding> {
  const answer = await fetch(new URL(`/v1/projects/${project}/messages:send`, endpoint), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ validate_only: true, message: { token: 'bluewave-doctor', data: { check: 'true' } } }),
    signal: AbortSignal.timeout(askMs),
  });
  await answer.arrayBuffer();
  // 200: a stand-in takes any token. 400 and 404: it would have been sent but for the token.
  if ([200, 400, 404].includes(answer.status)) return ok(check, `${project} may send (nothing was sent)`);
  const fix =
    'Enable the "Firebase Cloud Messaging API (V1)" of this project and give the account the role ' +
    '"Firebase Cloud Messaging API Admin".';
  return failed(check, `FCM refuses ${project}: ${answer.status}`, fix);
}
