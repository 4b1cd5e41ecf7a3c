import { z } from 'zod';
import { uuid } from '../fields.ts';
import * as inputs from '../inputs.ts';
import * as objects from '../objects.ts';
import type { Route } from '../route.ts';
import { listQuery, page } from './parameters.ts';

const byUser = z.strictObject({ userId: uuid });

export const peopleRoutes = {
  'contacts.list': {
    method: 'GET',
    path: '/users/me/contacts',
    tag: 'users',
    summary: 'Own contacts',
    access: 'user',
    query: listQuery,
    answers: { 200: page(objects.contact) },
    errors: [],
  },
  'contacts.put': {
    method: 'PUT',
    path: '/users/me/contacts/:userId',
    tag: 'users',
    summary: 'Add a contact, or change what you call them',
    access: 'user',
    params: byUser,
    body: inputs.putContactInput.optional(),
    answers: { 204: null },
    errors: ['NOT_FOUND', 'CONFLICT'],
  },
  'contacts.delete': {
    method: 'DELETE',
    path: '/users/me/contacts/:userId',
    tag: 'users',
    summary: 'Remove a contact',
    access: 'user',
    params: byUser,
    answers: { 204: null },
    errors: [],
  },
  'blocks.list': {
    method: 'GET',
    path: '/users/me/blocks',
    tag: 'users',
    summary: 'People you have blocked',
    access: 'user',
    query: listQuery,
    answers: { 200: page(objects.block) },
    errors: [],
  },
  'blocks.put': {
    method: 'PUT',
    path: '/users/me/blocks/:userId',
    tag: 'users',
    summary: 'Block somebody: they cannot write to you nor see you online, and are not told',
    access: 'user',
    params: byUser,
    body: inputs.nothing.optional(),
    answers: { 204: null },
    errors: ['NOT_FOUND', 'CONFLICT'],
  },
  'blocks.delete': {
    method: 'DELETE',
    path: '/users/me/blocks/:userId',
    tag: 'users',
    summary: 'No longer block somebody',
    access: 'user',
    params: byUser,
    answers: { 204: null },
    errors: [],
  },
} as const satisfies Record<string, Route>;
