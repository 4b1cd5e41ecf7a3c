import { AppError } from '@bluewave/errors/app-error';
import { isUnspaced, wordsOf } from './fold-text.ts';

/**
 * Words that stand next to each other. Of the last one the beginning is enough unless it is `whole`; of an unspaced
 * word any part is enough at either end.
 */
export type SearchTerm = { words: string[]; whole: boolean };

/** A message matches when it has every term. */
export type SearchQuery = { terms: SearchTerm[] };

/** More of either is no question of a person. */
export const mostCharacters = 256;
export const mostWords = 16;

/**
 * What is asked for: words, of which the beginning is enough, and "phrases" in quotes, of which each word is whole. An
 * open quote ends with the text. Without any word there are no terms.
 * @throws VALIDATION_FAILED for more than a person would ask.
 */
export function parseQuery(text: string): SearchQuery {
  if (text.length > mostCharacters * 2) throw tooLong(`Search for at most ${mostCharacters} characters.`);
  const terms = text.split(/["\u201C\u201D\u201E\u00AB\u00BB]/).flatMap((part, index) => {
    const isPhrase = index % 2 === 1;
    const pieces = isPhrase ? [part] : part.split(/\s+/);
    return pieces.map((piece) => ({ words: wordsOf(piece), whole: isPhrase }));
  });
  const asked = terms.filter((term) => term.words.length > 0);
  if (asked.reduce((count, term) => count + term.words.length, 0) > mostWords) {
    throw tooLong(`Search for at most ${mostWords} words.`);
  }
  return { terms: asked };
}

/** What a term looks like in a folded text. */
export function patternOf({ words, whole }: SearchTerm): string {
  const [first = '', last = ''] = [words[0], words.at(-1)];
  return `${isUnspaced(first) ? '' : ' '}${words.join(' ')}${whole && !isUnspaced(last) ? ' ' : ''}`;
}

/** Whether a folded text has every term. */
export function matches(folded: string, patterns: readonly string[]): boolean {
  return patterns.every((pattern) => folded.includes(pattern));
}

function tooLong(detail: string): AppError {
  return new AppError('VALIDATION_FAILED', detail, { fields: [{ path: 'q', code: 'too_big', message: detail }] });
}
