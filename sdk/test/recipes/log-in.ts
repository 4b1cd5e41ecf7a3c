import { type Client, createApi, createClient, type SessionTokens } from '@bluewave/sdk';

/** `keep` puts the session where the next start of the app finds it. */
export async function logIn(
  url: string,
  identifier: string,
  password: string,
  keep: (session: SessionTokens) => void,
): Promise<Client> {
  const api = createApi({ url });
  const session = await api('authLogin', { body: { identifier, password } });
  keep(session);
  const client = await createClient({ url, session, onSession: keep });
  client.connect();
  return client;
}
