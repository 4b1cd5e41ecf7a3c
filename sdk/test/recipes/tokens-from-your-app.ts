import { type Client, createClient } from '@bluewave/sdk';

/** `fetchToken` asks your own server; it is called once at a time, and again when the platform refused a token. */
export async function useYourTokens(
  url: string,
  fetchToken: () => Promise<string>,
  show: (line: string) => void,
): Promise<Client> {
  const client = await createClient({ url, tokenProvider: fetchToken });
  client.connection.subscribe((state) => {
    if (state.status === 'waiting') show(`offline, trying again in ${state.retryInMs} ms`);
    if (state.status === 'signed-out') show('please log in again');
  });
  client.connect();
  return client;
}
