import type { ProjectionStore } from '../log/projections.ts';
import type { SearchIndex } from './search-index.ts';

/**
 * Projections of edits that are done only when the message can be found by its new text: so it is before the edit is
 * acknowledged, and recovery sees to it when the process dies in between.
 */
export function findableByEdits(projections: ProjectionStore, index: SearchIndex): ProjectionStore {
  return {
    ...projections,
    async projectEdit(entry) {
      await projections.projectEdit(entry);
      await index.noteEdit(entry.conversationId, entry.body.target, entry.body.text);
    },
  };
}
