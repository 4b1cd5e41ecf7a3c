import type { ConversationType } from '../log/entry.ts';

/** Who asks for what. `deadline` is in milliseconds since the epoch. */
export type PolicyCall = { traceId: string; deadline: number };

/**
 * The rules of a product about who may reach whom, beside roles and blocks. Each answers whether it is allowed; a
 * rejection means that it cannot be known, and then it is not done.
 */
export type Policies = {
  /** Whether the actor may open a direct conversation with the other. Not asked again for each message. */
  mayMessage(actorId: string, otherId: string, call: PolicyCall): Promise<boolean>;
  /** Whether the actor may create a group or a room with these others. */
  mayCreate(
    actorId: string,
    type: Exclude<ConversationType, 'direct'>,
    userIds: readonly string[],
    call: PolicyCall,
  ): Promise<boolean>;
  /** Whether the actor may add these people to a conversation. */
  mayAdd(actorId: string, conversationId: string, userIds: readonly string[], call: PolicyCall): Promise<boolean>;
  /** Whether the actor may join a room. */
  mayJoin(actorId: string, conversationId: string, call: PolicyCall): Promise<boolean>;
};

export type PolicyChoices = {
  /** Who may open a direct conversation with somebody: anyone, or those whom the other has as a contact. */
  direct: 'anyone' | 'contacts';
  /** Who may create groups, and with whom: anyone, only with people who have them as a contact (also when adding later), nobody. */
  group: 'anyone' | 'contacts' | 'nobody';
  /** Who may create rooms. */
  room: 'anyone' | 'nobody';
};

/** Those of the users who have `otherId` as a contact. */
type WhoKnow = (otherId: string, userIds: readonly string[]) => Promise<string[]>;

/** The rules that are chosen by configuration. */
export function choicePolicies(choices: PolicyChoices, whoKnow: WhoKnow): Policies {
  const allKnow = async (actorId: string, userIds: readonly string[]): Promise<boolean> => {
    const others = [...new Set(userIds)].filter((userId) => userId !== actorId);
    return others.length === 0 || (await whoKnow(actorId, others)).length === others.length;
  };
  return {
    mayMessage: async (actorId, otherId) => choices.direct === 'anyone' || allKnow(actorId, [otherId]),
    async mayCreate(actorId, type, userIds) {
      const choice = choices[type];
      return choice === 'anyone' || (choice === 'contacts' && allKnow(actorId, userIds));
    },
    mayAdd: async (actorId, _conversationId, userIds) => choices.group !== 'contacts' || allKnow(actorId, userIds),
    mayJoin: async () => true,
  };
}

/** Allows what all of them allow; the later are not asked about what an earlier one refuses. */
export function allOf(...all: readonly Policies[]): Policies {
  const every = async (ask: (one: Policies) => Promise<boolean>): Promise<boolean> => {
    for (const one of all) if (!(await ask(one))) return false;
    return true;
  };
  return {
    mayMessage: (...asked) => every((one) => one.mayMessage(...asked)),
    mayCreate: (...asked) => every((one) => one.mayCreate(...asked)),
    mayAdd: (...asked) => every((one) => one.mayAdd(...asked)),
    mayJoin: (...asked) => every((one) => one.mayJoin(...asked)),
  };
}
