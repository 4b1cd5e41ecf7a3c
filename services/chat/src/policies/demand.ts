import { directIdOf } from '../conversations/direct-id.ts';
import type { ConversationType } from '../log/entry.ts';
import type { Blocking } from '../people/blocking.ts';
import { notWanted } from '../people/refusal.ts';
import type { ReadStore } from '../reading/read-store.ts';
import type { Policies, PolicyCall } from './policies.ts';

type Deps = { policies: Policies; blocking: Blocking; reads: Pick<ReadStore, 'membership'> };
type Creation = { actorId: string; type: ConversationType; userIds: readonly string[] };

/**
 * @throws FORBIDDEN, in the same words whatever the reason, when the actor may not have such a conversation with these
 * people; UNAVAILABLE when that cannot be known.
 */
export async function demandCreation(
  deps: Deps,
  { actorId, type, userIds }: Creation,
  call: PolicyCall,
): Promise<void> {
  const others = [...new Set(userIds)].filter((userId) => userId !== actorId);
  if (type !== 'direct') {
    if (!(await deps.policies.mayCreate(actorId, type, others, call))) throw notWanted();
    return;
  }
  const [otherId] = others;
  if (otherId === undefined) return;
  await deps.blocking.demandNone(actorId, [otherId]);
  // Opening the one that exists is no news to anybody.
  if (await deps.reads.membership(directIdOf(actorId, otherId), actorId)) return;
  if (!(await deps.policies.mayMessage(actorId, otherId, call))) throw notWanted();
}

/** @throws FORBIDDEN when a policy keeps the actor from adding these people; UNAVAILABLE when that cannot be known. */
export async function demandAddition(
  { policies }: Pick<Deps, 'policies'>,
  { actorId, conversationId, userIds }: { actorId: string; conversationId: string; userIds: readonly string[] },
  call: PolicyCall,
): Promise<void> {
  if (!(await policies.mayAdd(actorId, conversationId, userIds, call))) throw notWanted();
}

/** @throws FORBIDDEN when a policy keeps the actor out of a room; UNAVAILABLE when that cannot be known. */
export async function demandJoin(
  { policies }: Pick<Deps, 'policies'>,
  { actorId, conversationId }: { actorId: string; conversationId: string },
  call: PolicyCall,
): Promise<void> {
  if (!(await policies.mayJoin(actorId, conversationId, call))) throw notWanted();
}
