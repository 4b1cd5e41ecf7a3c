const maxLength = 255;

/**
 * Control characters, and format characters such as the marks that reverse the direction of text to disguise an
 * extension. The joiner of emoji sequences stays.
 */
const unsafe = /(?!\u200d)[\p{Cc}\p{Cf}\p{Cs}]/gu;

/**
 * The name of a file as it is shown and offered for download: the last part of a path, without what could disguise it.
 * @returns at most 255 characters, or empty when nothing of the name can be kept.
 */
export function cleanFileName(given: string): string {
  const base = given.split(/[/\\]/).at(-1) ?? '';
  const clean = base.normalize('NFC').replace(unsafe, '').replace(/\s+/g, ' ').trim();
  return clean === '.' || clean === '..' ? '' : Array.from(clean).slice(0, maxLength).join('');
}

/**
 * A Content-Disposition of RFC 6266: a plain ASCII name for old clients and the real one in RFC 5987 form.
 * `inline` is for content that a browser may show on its own.
 */
export function contentDisposition(type: 'inline' | 'attachment', fileName: string): string {
  const plain = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${type}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
