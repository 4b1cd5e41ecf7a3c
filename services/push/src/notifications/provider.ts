/** A notification for one phone, whoever delivers it. */
export type PushMessage = {
  title: string;
  body: string;
  /** Two messages with the same id are shown as one. */
  collapseId: string;
  /** What the client opens. */
  data: Record<string, string>;
};

/** What became of a send. */
export type SendOutcome =
  | { kind: 'accepted' }
  /** The token is dead for ever. */
  | { kind: 'unregistered' }
  /** This message will never be taken. */
  | { kind: 'refused'; reason: string }
  /** Too many; not before `retryAfterMs`, when the provider says so. */
  | { kind: 'quota'; retryAfterMs: number | undefined }
  /** Unknown or failed: again later. */
  | { kind: 'failed'; reason: string };

/** What allows a send. */
export type SendPermit = {
  /** Aborts when the send must end. */
  signal: AbortSignal;
  /** Asked at the moment when something would leave: in a process that was held up, timers come late. */
  holds(): boolean;
};

/** Delivers to phones. */
export type Provider = {
  /**
   * Sends once; ends within 5 s. Nothing leaves when the permit does not hold, and nothing after this resolved. Never
   * rejects.
   */
  send(token: string, message: PushMessage, permit: SendPermit): Promise<SendOutcome>;
};
