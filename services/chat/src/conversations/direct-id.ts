import { derivedId } from '../log/derived-id.ts';

/** The id of the direct conversation of two users: there is one for the pair, for ever. */
export function directIdOf(one: string, other: string): string {
  return derivedId('direct', ...[one, other].sort());
}
