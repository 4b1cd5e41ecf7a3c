import type { Absence } from './ledger.ts';
import { restUntil } from './rest.ts';
import type { Scene } from './scene.ts';

/** Removes and adds a member in turn until stopped; ends with the member inside. @returns the certain absences. */
export async function turnDoor(
  gateways: readonly string[],
  { id, owner, guest }: Scene['revolving'],
  isOver: () => boolean,
): Promise<Absence[]> {
  const absences: Absence[] = [];
  const path = `/conversations/${id}/members`;
  while (!isOver()) {
    // 404: an earlier attempt whose answer was lost had removed the member.
    await restUntil(gateways, 'DELETE', `${path}/${guest.userId}`, owner.token, undefined, [204, 404]);
    const from = Date.now();
    const state = await restUntil(gateways, 'GET', `/conversations/${id}`, owner.token, undefined, [200]);
    const removedSeq = (state.body as { head: number }).head;
    await new Promise((resolve) => setTimeout(resolve, 700));
    const until = Date.now();
    await restUntil(gateways, 'POST', path, owner.token, { userIds: [guest.userId] }, [200]);
    absences.push({ conversationId: id, userId: guest.userId, removedSeq, from, until });
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  return absences;
}
