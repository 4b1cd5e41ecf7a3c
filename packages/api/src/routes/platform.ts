import { z } from 'zod';
import * as inputs from '../inputs.ts';
import type { Route } from '../route.ts';

export const platformRoutes = {
  'push.test': {
    method: 'POST',
    path: '/push/test',
    tag: 'push',
    summary: 'Send a test notification to the own devices',
    access: 'user',
    body: inputs.nothing.optional(),
    answers: { 200: z.object({ accepted: z.int() }) },
    errors: ['RATE_LIMITED'],
  },
  health: {
    method: 'GET',
    path: '/health',
    tag: 'platform',
    summary: 'The gateway answers, and how its parts are',
    access: 'public',
    answers: { 200: z.object({ status: z.literal('ok'), parts: z.record(z.string(), z.enum(['up', 'down'])) }) },
    errors: [],
  },
  limits: {
    method: 'GET',
    path: '/limits',
    tag: 'platform',
    summary: 'The numbers in force',
    access: 'public',
    answers: { 200: z.record(z.string(), z.number()) },
    errors: [],
  },
} as const satisfies Record<string, Route>;
