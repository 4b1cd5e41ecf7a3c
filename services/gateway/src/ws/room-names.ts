/** Rooms of Socket.IO. A prefix keeps them apart from each other and from socket ids. */
export const roomOf = {
  /** Sockets of a conversation's members. */
  conversation: (conversationId: string) => `c:${conversationId}`,
  /** Sockets of a user. */
  user: (userId: string) => `u:${userId}`,
  /** Sockets that watch a user's presence. */
  watchers: (userId: string) => `p:${userId}`,
  /** Sockets of those who have blocked a user: they are not told what the user types. */
  deafTo: (userId: string) => `d:${userId}`,
  /** Sockets with so much queued that ephemeral events pass them by. */
  backlogged: 'backlogged',
} as const;
