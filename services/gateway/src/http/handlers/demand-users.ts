import { AppError } from '@bluewave/errors/app-error';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { HttpDeps } from '../handler.ts';

/** @throws NOT_FOUND when one of the ids is nobody's; UNAVAILABLE when that cannot be known. */
export async function demandUsers(
  deps: Pick<HttpDeps, 'directory'>,
  ids: readonly string[],
  context: CallContext,
): Promise<void> {
  const found = await deps.directory.profiles(ids, context);
  const missing = ids.filter((id) => !found.has(id));
  if (missing.length > 0) throw new AppError('NOT_FOUND', `There is no user ${missing.slice(0, 5).join(', ')}.`);
}
