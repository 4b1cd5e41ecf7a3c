import type { Conversation, Media, Message } from '@bluewave/sdk';

/** A message of somebody else, with what a test wants to be different. */
export function aMessage(given: Partial<Message> = {}): Message {
  const { conversationId = 'c1', seq = 1 } = given;
  return {
    id: `${conversationId}:${seq}`,
    conversationId,
    seq,
    clientMsgId: `m${seq}`,
    type: 'text',
    sender: { id: 'u1', username: 'ada', displayName: 'Ada', avatarUrl: null },
    text: '',
    attachments: [],
    mentions: [],
    forwardCount: 0,
    reactions: [],
    starred: false,
    pinned: false,
    status: 'sent',
    createdAt: '2026-01-31T12:00:00.000Z',
    ...given,
  };
}

/** A group of three, as its member `me` sees it. */
export function aConversation(given: Partial<Omit<Conversation, 'me'>> & { me?: Partial<Conversation['me']> } = {}) {
  const { me, ...rest } = given;
  const conversation: Conversation = {
    id: 'c1',
    type: 'group',
    name: 'Engines',
    avatarUrl: null,
    createdBy: 'u1',
    createdAt: '2026-01-31T11:00:00.000Z',
    updatedAt: '2026-01-31T11:00:00.000Z',
    head: 1,
    memberCount: 3,
    history: 'all',
    slowModeSeconds: 0,
    ...rest,
    me: {
      role: 'member',
      joinedAt: '2026-01-31T11:00:00.000Z',
      firstSeq: 1,
      readSeq: 0,
      deliveredSeq: 0,
      unread: 0,
      unreadMentions: 0,
      archived: false,
      pinned: false,
      mutedUntil: null,
      notify: 'all',
      ...me,
    },
  };
  return conversation;
}

export function aMedia(given: Partial<Media> = {}): Media {
  return {
    uploadId: 'up1',
    kind: 'image',
    fileName: 'dot.png',
    contentType: 'image/png',
    size: 73,
    url: '/api/v1/media/up1/content',
    status: 'processing',
    ...given,
  };
}
