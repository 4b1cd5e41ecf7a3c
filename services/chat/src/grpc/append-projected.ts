import { remainingMs, within } from '@bluewave/runtime/deadline';
import type { AppendRequest, AppendResult } from '../log/append.ts';
import type { ChatDeps } from './chat-deps.ts';

/**
 * Appends an entry and waits until its effect can be read: who gets the answer may rely on it everywhere. When the
 * effect cannot be waited for, the answer is DEADLINE_EXCEEDED, which callers repeat.
 */
export async function appendProjected(deps: ChatDeps, request: AppendRequest): Promise<AppendResult> {
  const result = await deps.writer.append(request);
  await within(remainingMs(request.deadline), 'The platform', projected(deps, request, result));
  return result;
}

function projected(deps: ChatDeps, request: AppendRequest, { entry, duplicate }: AppendResult): Promise<void> {
  if (!entry) return deps.projections.projectMembers(request.conversationId);
  return deps.publisher.projected(entry, duplicate);
}
