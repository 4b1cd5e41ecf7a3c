/** A REST answer: its status and its body, or null when there was none. */
export type RestAnswer = { status: number; body: Record<string, unknown> | null };

/** One REST call with a deadline of 5 s. Rejects when there was no answer. */
export async function rest(
  gateway: string,
  method: string,
  path: string,
  token: string | null,
  body?: unknown,
): Promise<RestAnswer> {
  const answer = await fetch(`${gateway}/api/v1${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(5_000),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : (JSON.parse(text) as Record<string, unknown>) };
}

/** Repeats a call that must succeed while the platform recovers, for up to 30 s. */
export async function restUntil(
  gateways: readonly string[],
  method: string,
  path: string,
  token: string | null,
  body: unknown,
  accepted: readonly number[],
): Promise<RestAnswer> {
  const until = Date.now() + 30_000;
  let last = 'no answer';
  for (let attempt = 0; Date.now() < until; attempt += 1) {
    try {
      const answer = await rest(gateways[attempt % gateways.length] as string, method, path, token, body);
      if (accepted.includes(answer.status)) return answer;
      last = `${answer.status} ${JSON.stringify(answer.body)}`;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${method} ${path} did not succeed: ${last}`);
}
