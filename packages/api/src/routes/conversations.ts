import { z } from 'zod';
import { uuid } from '../fields.ts';
import * as inputs from '../inputs.ts';
import * as objects from '../objects.ts';
import type { Route } from '../route.ts';
import { byId, listQuery, page } from './parameters.ts';

export const conversationRoutes = {
  'conversations.create': {
    method: 'POST',
    path: '/conversations',
    tag: 'conversations',
    summary: 'Open a direct conversation (the same one for the pair, for ever) or create a group',
    access: 'user',
    body: inputs.createConversationInput,
    answers: { 200: objects.conversation, 201: objects.conversation },
    errors: ['NOT_FOUND', 'FORBIDDEN', 'MEMBER_LIMIT_REACHED'],
  },
  'conversations.list': {
    method: 'GET',
    path: '/conversations',
    tag: 'conversations',
    summary: 'Own conversations, last activity first',
    access: 'user',
    query: listQuery,
    answers: { 200: page(objects.conversation) },
    errors: [],
  },
  'conversations.get': {
    method: 'GET',
    path: '/conversations/:id',
    tag: 'conversations',
    summary: 'One conversation',
    access: 'user',
    params: byId,
    answers: { 200: objects.conversation },
    errors: ['NOT_FOUND'],
  },
  'conversations.leave': {
    method: 'POST',
    path: '/conversations/:id/leave',
    tag: 'conversations',
    summary: 'Leave; nothing later reaches you',
    access: 'user',
    params: byId,
    body: inputs.nothing.optional(),
    answers: { 204: null },
    errors: ['NOT_FOUND', 'CONFLICT', 'OWNER_MUST_TRANSFER'],
  },
  'members.list': {
    method: 'GET',
    path: '/conversations/:id/members',
    tag: 'conversations',
    summary: 'Members',
    access: 'user',
    params: byId,
    query: listQuery,
    answers: { 200: page(objects.member) },
    errors: ['NOT_FOUND'],
  },
  'members.add': {
    method: 'POST',
    path: '/conversations/:id/members',
    tag: 'conversations',
    summary: 'Add members',
    access: 'user',
    params: byId,
    body: inputs.addMembersInput,
    answers: { 200: objects.conversation },
    errors: ['NOT_FOUND', 'FORBIDDEN', 'CONFLICT', 'MEMBER_LIMIT_REACHED'],
  },
  'members.remove': {
    method: 'DELETE',
    path: '/conversations/:id/members/:userId',
    tag: 'conversations',
    summary: 'Remove a member; once answered, no later entry reaches them',
    access: 'user',
    params: z.strictObject({ id: uuid, userId: uuid }),
    answers: { 204: null },
    errors: ['NOT_FOUND', 'FORBIDDEN', 'CONFLICT', 'OWNER_MUST_TRANSFER'],
  },
} as const satisfies Record<string, Route>;
