import type { UploadKind } from './upload.ts';

/**
 * What may be declared: the kind it makes, and which detected types its bytes may have. `text`: bytes that read as
 * text. `any`: whatever is no program.
 */
export type AcceptedType = { kind: UploadKind; bytes: readonly string[] | 'text' | 'any' };

const isoMedia = [
  ...['video/mp4', 'video/quicktime', 'video/x-m4v', 'video/3gpp', 'video/3gpp2'],
  ...['audio/mp4', 'audio/x-m4a', 'audio/aac'],
];
const matroska = ['video/webm', 'video/matroska', 'audio/webm'];
const ogg = ['audio/ogg', 'video/ogg', 'application/ogg', 'audio/opus'];
const heif = ['image/heic', 'image/heif', 'image/heic-sequence', 'image/heif-sequence', 'image/avif'];
const oldOffice = ['application/x-cfb', 'application/vnd.ms-outlook', 'application/vnd.visio'];
const openXml = 'application/vnd.openxmlformats-officedocument';
const openDocument = 'application/vnd.oasis.opendocument';
const newOffice = [
  ...['wordprocessingml.document', 'spreadsheetml.sheet', 'presentationml.presentation'],
  ...['wordprocessingml.template', 'spreadsheetml.template', 'presentationml.template', 'presentationml.slideshow'],
].map((name) => `${openXml}.${name}`);
const freeOffice = ['text', 'spreadsheet', 'presentation', 'graphics'].map((name) => `${openDocument}.${name}`);
const zip = ['application/zip', 'application/epub+zip', 'model/3mf', ...newOffice, ...freeOffice];

const rows = (kind: UploadKind, bytes: AcceptedType['bytes'], types: string[]): [string, AcceptedType][] =>
  types.map((type) => [type, { kind, bytes }]);

/** Only what the image decoder reads is an image; SVG, HTML, HEIC and TIFF are files, downloaded as attachments. */
const table = new Map<string, AcceptedType>([
  ...rows('image', ['image/jpeg'], ['image/jpeg', 'image/jpg']),
  ...rows('image', ['image/png', 'image/apng'], ['image/png']),
  ...rows('image', ['image/webp'], ['image/webp']),
  ...rows('image', ['image/gif'], ['image/gif']),
  ...rows('image', heif, ['image/avif']),
  ...rows('audio', ['audio/mpeg'], ['audio/mpeg', 'audio/mp3']),
  ...rows('audio', isoMedia, ['audio/mp4', 'audio/x-m4a', 'audio/m4a', 'audio/aac', 'audio/3gpp']),
  ...rows('audio', ogg, ['audio/ogg', 'audio/opus']),
  ...rows('audio', matroska, ['audio/webm']),
  ...rows('audio', ['audio/wav'], ['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave']),
  ...rows('audio', ['audio/flac'], ['audio/flac', 'audio/x-flac']),
  ...rows('audio', ['audio/amr'], ['audio/amr']),
  ...rows('audio', ['audio/aiff'], ['audio/aiff', 'audio/x-aiff']),
  ...rows('video', isoMedia, ['video/mp4', 'video/quicktime', 'video/x-m4v', 'video/3gpp', 'video/3gpp2']),
  ...rows('video', matroska, ['video/webm', 'video/x-matroska', 'video/matroska']),
  ...rows('video', ogg, ['video/ogg']),
  ...rows('video', ['video/vnd.avi'], ['video/x-msvideo', 'video/vnd.avi']),
  ...rows('video', ['video/mpeg', 'video/MP1S', 'video/MP2P', 'video/mp2t'], ['video/mpeg', 'video/mp2t']),
  ...rows('file', heif, ['image/heic', 'image/heif']),
  ...rows('file', ['image/tiff'], ['image/tiff']),
  ...rows('file', ['image/bmp'], ['image/bmp']),
  ...rows('file', ['application/pdf'], ['application/pdf']),
  ...rows('file', ['application/rtf'], ['application/rtf', 'text/rtf']),
  ...rows('file', zip, ['application/zip', 'application/x-zip-compressed', 'application/epub+zip']),
  // A document with a password is the old container whatever its name says.
  ...rows('file', [...zip, ...oldOffice], [...newOffice, ...freeOffice]),
  ...rows('file', oldOffice, ['application/msword', 'application/vnd.ms-excel', 'application/vnd.ms-powerpoint']),
  ...rows('file', ['application/gzip'], ['application/gzip', 'application/x-gzip']),
  ...rows('file', ['application/x-7z-compressed'], ['application/x-7z-compressed']),
  ...rows('file', ['application/x-rar-compressed'], ['application/vnd.rar', 'application/x-rar-compressed']),
  ...rows('file', ['application/x-tar'], ['application/x-tar']),
  ...rows('file', 'text', ['text/plain', 'text/csv', 'text/markdown', 'text/html', 'text/xml', 'text/calendar']),
  ...rows('file', 'text', ['text/vcard', 'text/x-vcard', 'text/css', 'image/svg+xml', 'application/xml']),
  ...rows('file', 'text', ['application/json', 'application/x-ndjson', 'application/yaml', 'text/yaml']),
  ...rows('file', 'any', ['application/octet-stream']),
]);

/** The row of a media type (lower case, without parameters), or undefined when it is not accepted. */
export function acceptedType(contentType: string): AcceptedType | undefined {
  return table.get(contentType);
}

/** Detected types of bytes that are programs, which no declaration makes acceptable. */
export const programTypes: ReadonlySet<string> = new Set([
  'application/x-msdownload',
  'application/x-elf',
  'application/x-mach-binary',
  'application/x-shockwave-flash',
  'application/wasm',
  'application/java-vm',
  'application/java-archive',
  'application/vnd.android.package-archive',
  'application/x-google-chrome-extension',
  'application/x-xpinstall',
  'application/x-deb',
  'application/x-rpm',
  'application/x-apple-diskimage',
  'application/x.ms.shortcut',
]);
