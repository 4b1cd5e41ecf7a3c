import { z } from 'zod';
import { cursorQuery, limitQuery, text } from '../fields.ts';
import * as objects from '../objects.ts';
import type { Route } from '../route.ts';
import { byId, page } from './parameters.ts';

export const userRoutes = {
  'users.me': {
    method: 'GET',
    path: '/users/me',
    tag: 'users',
    summary: 'Own profile',
    access: 'user',
    answers: { 200: objects.me },
    errors: [],
  },
  'users.search': {
    method: 'GET',
    path: '/users/search',
    tag: 'users',
    summary: 'Search people by the beginning of their username or display name',
    access: 'user',
    query: z.strictObject({ q: text(100, 1), limit: limitQuery, cursor: cursorQuery }),
    answers: { 200: page(objects.user) },
    errors: ['RATE_LIMITED'],
  },
  'users.get': {
    method: 'GET',
    path: '/users/:id',
    tag: 'users',
    summary: 'A profile; presence is shown to people who share a conversation',
    access: 'user',
    params: byId,
    answers: { 200: objects.user },
    errors: ['NOT_FOUND'],
  },
} as const satisfies Record<string, Route>;
