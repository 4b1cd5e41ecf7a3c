import { readUuid } from '@bluewave/mongo/uuid';
import type { ConversationInfo } from '../log/entry.ts';
import type { ConversationDocument } from './collections.ts';

/** What a projection says of a conversation that all members share. */
export function infoOf(document: ConversationDocument): ConversationInfo {
  const { type, name, description, createdBy, avatar, history, slowModeSeconds } = document;
  return {
    type,
    name,
    description,
    createdBy: readUuid(createdBy),
    ...(avatar === undefined ? {} : { avatar }),
    ...(history === undefined ? {} : { history }),
    ...(slowModeSeconds === undefined ? {} : { slowModeSeconds }),
  };
}
