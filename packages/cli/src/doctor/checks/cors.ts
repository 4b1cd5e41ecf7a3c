import type { Door } from '../door-client.ts';
import { failed, type Finding, ok, unchecked, warning } from '../finding.ts';

const check = 'CORS of the gateway';
const stranger = 'https://stranger.invalid';

/** Whether browsers of the app's origin may call, and others may not. */
export async function checkCors(door: Door, origin: string | undefined): Promise<Finding[]> {
  if (origin === undefined) {
    return [unchecked(check, 'no origin to try', '--origin https://app.example.com, if a web app uses this.')];
  }
  const own = await allowed(door, origin);
  if (!own) {
    const fix = `Add ${origin} to CORS_ORIGINS in gateway.env; a proxy must not answer OPTIONS itself.`;
    return [failed(check, `a browser of ${origin} may not call`, fix)];
  }
  if (await allowed(door, stranger)) {
    return [warning(check, 'every origin may call', 'Name your origins in CORS_ORIGINS instead of *.')];
  }
  return [ok(check, `${origin} may call, others may not`)];
}

async function allowed(door: Door, origin: string): Promise<boolean> {
  const { headers } = await door.ask('OPTIONS', '/api/v1/auth/login', {
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });
  const permitted = headers['access-control-allow-origin'];
  return permitted === origin || permitted === '*';
}
