/** The bytes of an upload can never be served; `message` is the reason that people are told. */
export class UnusableUpload extends Error {
  override name = 'UnusableUpload';
}
