/** A name for an emoji that a product has of its own: `party_parrot` or `:party_parrot:`. */
const shortCode = /^(?:[A-Za-z0-9_+-]{1,32}|:[A-Za-z0-9_+-]{1,32}:)$/;
/** Every emoji of the standard, sequences, flags and keycaps among them. Made so because the flag `v` is young. */
const listed = new RegExp('^\\p{RGI_Emoji}$', 'v');
/** Newer than our table, or joined as nobody listed: still one emoji. */
const unlisted =
  /^\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?(?:\u200D\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?)*$/u;
const longest = 40;
/** Characters that are emoji only with U+FE0F behind them: phones leave it out. */
const plain = /(\p{Emoji})(?!\uFE0F|\p{Emoji_Modifier})/gu;

/**
 * One emoji in its full form, or a short code as it came; null for everything else. `❤` and `❤️` are the same emoji.
 */
export function emojiOf(value: string): string | null {
  if (shortCode.test(value)) return value;
  if (value.length > longest) return null;
  if (listed.test(value)) return value;
  const full = value.replaceAll(plain, (character) =>
    /\p{Emoji_Presentation}/u.test(character) ? character : `${character}\uFE0F`,
  );
  if (listed.test(full)) return full;
  return unlisted.test(value) ? value : null;
}
