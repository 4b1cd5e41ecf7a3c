const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const ellipsis = '…';

/**
 * The beginning of a text, with an ellipsis when something is left out. Never cuts within what people see as one
 * character; `maxBytes` bounds its UTF-8 form, since a single emoji can take dozens of bytes.
 * @param maxCharacters of the result, the ellipsis included.
 */
export function cutText(text: string, maxCharacters: number, maxBytes: number): string {
  // A character has at most this many UTF-16 units worth looking at: what is longer does not fit in any case.
  const head = text.slice(0, maxBytes + 1);
  let fitting = '';
  let characters = 0;
  let bytes = 0;
  let shortened = '';
  for (const { segment } of segmenter.segment(head)) {
    characters += 1;
    bytes += Buffer.byteLength(segment);
    if (characters > maxCharacters || bytes > maxBytes) return shortened + ellipsis;
    fitting += segment;
    if (characters < maxCharacters && bytes + Buffer.byteLength(ellipsis) <= maxBytes) shortened = fitting;
  }
  return fitting.length === text.length ? fitting : shortened + ellipsis;
}
