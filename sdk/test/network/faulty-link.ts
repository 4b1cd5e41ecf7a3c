/** How good a link is. */
export type Link = {
  /** Added to all that passes, each way. */
  delayMs: number;
  /** Up to so much more, by chance. */
  jitterMs: number;
  /** Each way; Infinity for no limit. */
  bytesPerSecond: number;
  /** New connections are refused at once, and those there are end. */
  refuses: boolean;
};

export const goodLink: Link = { delayMs: 0, jitterMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY, refuses: false };

/** A link to a gateway that is as bad as it is told to be. What is told is in force when its promise resolves. */
export type FaultyLink = {
  /** Where to connect instead of to the gateway. */
  readonly url: string;
  /** For connections there are and those to come; what is not named is good. */
  setLink(link: Partial<Link>): Promise<void>;
  /** Ends every connection, with a reset where that is possible. */
  reset(): Promise<void>;
  /** Connections stay open and nothing passes any more, as behind a router that forgot them. */
  freeze(): Promise<void>;
  /** What the gateway says is lost; what it is told arrives. */
  mute(): Promise<void>;
  /** A good link from now on; connections that nothing passed through are ended. */
  heal(): Promise<void>;
  close(): Promise<void>;
};

/** Links of one kind. */
export type FaultyLinks = {
  readonly kind: 'toxiproxy' | 'own';
  open(gateway: string): Promise<FaultyLink>;
  close(): Promise<void>;
};
