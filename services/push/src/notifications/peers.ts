import type { DeviceKey } from '../tokens/device-token.ts';

/** Whose work a call is part of. */
export type Trace = { traceId: string };

export type Recipient = { userId: string; readSeq: number; deliveredSeq: number };

/** Who may have to be notified of an entry, as the chat service says now. */
export type Audience = {
  recipients: Recipient[];
  /** direct, group or room. */
  conversationType: string;
  /** Empty for direct conversations. */
  conversationName: string;
  /** The message was deleted since. */
  gone: boolean;
};

/** What this service asks of others. All of them reject with AppErrors and end within their deadlines. */
export type Peers = {
  /** @throws NOT_FOUND when the conversation is gone. */
  audienceOf(entry: { conversationId: string; seq: number }, trace: Trace): Promise<Audience>;
  /** Whether the device has a live session now; never cached. */
  hasSession(device: DeviceKey, trace: Trace): Promise<boolean>;
  /** The user's display name; undefined for a deleted one. */
  displayNameOf(userId: string, trace: Trace): Promise<string | undefined>;
  /** Devices that hold a live connection. */
  connectedDevices(userIds: readonly string[]): Promise<Map<string, Set<string>>>;
};
