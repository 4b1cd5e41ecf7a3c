import { z } from 'zod';
import { cursorQuery, emoji, limitQuery } from '../fields.ts';
import * as objects from '../objects.ts';
import type { Route } from '../route.ts';
import { byId, byMessage, listQuery, page } from './parameters.ts';

const byReaction = byMessage.extend({ emoji });

/** What people put on messages, and what has become of one. */
export const markRoutes = {
  'messages.history': {
    method: 'GET',
    path: '/messages/:id/history',
    tag: 'messages',
    summary: 'The texts that a message had, oldest first, the current one last; none of a deleted one',
    access: 'user',
    params: byMessage,
    answers: { 200: z.object({ items: z.array(objects.textVersion) }) },
    errors: ['NOT_FOUND'],
  },
  'messages.thread': {
    method: 'GET',
    path: '/messages/:id/thread',
    tag: 'messages',
    summary: 'The replies of a thread, oldest first, without its root',
    access: 'user',
    params: byMessage,
    query: listQuery,
    answers: { 200: page(objects.message) },
    errors: ['NOT_FOUND'],
  },
  'reactions.list': {
    method: 'GET',
    path: '/messages/:id/reactions',
    tag: 'messages',
    summary: 'Who reacted with what, by emoji, each in the order in which people did',
    access: 'user',
    params: byMessage,
    query: z.strictObject({ emoji: emoji.optional(), limit: limitQuery, cursor: cursorQuery }),
    answers: { 200: page(objects.reaction) },
    errors: ['NOT_FOUND'],
  },
  'reactions.put': {
    method: 'PUT',
    path: '/messages/:id/reactions/:emoji',
    tag: 'messages',
    summary: 'Show an emoji on a message: at most 20 of your own, 100 different ones in all',
    access: 'user',
    params: byReaction,
    answers: { 204: null },
    errors: ['NOT_FOUND', 'FORBIDDEN', 'MESSAGE_DELETED', 'CONFLICT'],
  },
  'reactions.delete': {
    method: 'DELETE',
    path: '/messages/:id/reactions/:emoji',
    tag: 'messages',
    summary: 'Take an own emoji away',
    access: 'user',
    params: byReaction,
    answers: { 204: null },
    errors: ['NOT_FOUND', 'FORBIDDEN', 'MESSAGE_DELETED'],
  },
  'pins.list': {
    method: 'GET',
    path: '/conversations/:id/pins',
    tag: 'messages',
    summary: 'Pinned messages, the newest message first',
    access: 'user',
    params: byId,
    query: listQuery,
    answers: { 200: page(objects.message) },
    errors: ['NOT_FOUND'],
  },
  'pins.put': {
    method: 'PUT',
    path: '/messages/:id/pin',
    tag: 'messages',
    summary: 'Pin a message for everybody; moderators and above, both people in a direct conversation',
    access: 'user',
    params: byMessage,
    answers: { 204: null },
    errors: ['NOT_FOUND', 'FORBIDDEN', 'MESSAGE_DELETED'],
  },
  'pins.delete': {
    method: 'DELETE',
    path: '/messages/:id/pin',
    tag: 'messages',
    summary: 'Unpin a message',
    access: 'user',
    params: byMessage,
    answers: { 204: null },
    errors: ['NOT_FOUND', 'FORBIDDEN', 'MESSAGE_DELETED'],
  },
} as const satisfies Record<string, Route>;
