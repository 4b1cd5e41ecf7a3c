/**
 * The one table of NATS subjects. Payloads are the messages of `proto/bluewave/events/v1`, named beside each.
 * One subject for each conversation and user, so that only gateways with a member of it hear it.
 */
export const subjects = {
  /** EntryCommitted. Publisher: chat. Hears: gateway. */
  entry: (conversationId: string) => `bluewave.conversation.${conversationId}.entry`,
  /** EntriesCommitted; captured by the ENTRIES stream. Publishers: chat; push what it has to look at again. Consumer: push. */
  entriesCommitted: 'bluewave.entries.committed',
  /** ConversationSignal. Publisher: chat. Hears: gateway. */
  signal: (conversationId: string) => `bluewave.conversation.${conversationId}.signal`,
  /** Both of the above, for one subscription a conversation. */
  conversation: (conversationId: string) => `bluewave.conversation.${conversationId}.*`,
  /** UserEvent. Publishers: chat, auth, media, gateway (mutes). Hears: gateway. */
  user: (userId: string) => `bluewave.user.${userId}`,
  /** UserEvent with sessionsRevoked, broadcast beside the user's own subject: tokens are checked on every gateway. */
  sessionsRevoked: 'bluewave.sessions.revoked',
  /** UserUpdated. Publisher: auth. Hears: gateway, push. */
  userUpdated: 'bluewave.users.updated',
  /** BlockChanged. Publisher: chat. Hears: chat, every replica. What is lost is not known for at most 5 s. */
  blockChanged: 'bluewave.blocks',
  /** MessageReported. Publisher: chat. Hears: tools of whoever operates the platform, none of ours. */
  messageReported: 'bluewave.reports',
  /** HeadsMoved. Publisher: chat. Hears: gateway. */
  headsMoved: 'bluewave.heads',
  /** MediaUpdated. Publisher: media. Hears: chat, as one queue group. */
  mediaUpdated: 'bluewave.media.updated',
  /** ProcessUpload; captured by the MEDIA_WORK stream. Publisher and worker: media. */
  processUpload: 'bluewave.work.media.process',
} as const;

/** The kind of a conversation subject that was heard: its last token. */
export function conversationSubjectKind(subject: string): 'entry' | 'signal' | undefined {
  if (subject.endsWith('.entry')) return 'entry';
  return subject.endsWith('.signal') ? 'signal' : undefined;
}

/** The one table of JetStream streams. Ages in milliseconds. */
export const streams = {
  entries: {
    name: 'BLUEWAVE_ENTRIES',
    subjects: ['bluewave.entries.*'],
    workQueue: false,
    maxAgeMs: 24 * 3_600_000,
    maxBytes: 1024 * 1024 * 1024,
    duplicateWindowMs: 120_000,
  },
  mediaWork: {
    name: 'BLUEWAVE_MEDIA_WORK',
    subjects: ['bluewave.work.media.*'],
    workQueue: true,
    maxAgeMs: 24 * 3_600_000,
    maxBytes: 64 * 1024 * 1024,
    duplicateWindowMs: 120_000,
  },
} as const;

export type StreamDefinition = (typeof streams)[keyof typeof streams];
