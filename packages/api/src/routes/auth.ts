import { z } from 'zod';
import * as inputs from '../inputs.ts';
import * as objects from '../objects.ts';
import type { Route } from '../route.ts';

const signIn = ['INVALID_CREDENTIALS', 'ACCOUNT_LOCKED', 'ACCOUNT_DISABLED', 'RATE_LIMITED'] as const;

export const authRoutes = {
  'auth.register': {
    method: 'POST',
    path: '/auth/register',
    tag: 'auth',
    summary: 'Create an account and log in',
    access: 'public',
    body: inputs.registerInput,
    answers: { 201: objects.session },
    errors: ['EMAIL_TAKEN', 'USERNAME_TAKEN', 'PHONE_TAKEN', 'RATE_LIMITED'],
  },
  'auth.login': {
    method: 'POST',
    path: '/auth/login',
    tag: 'auth',
    summary: 'Log in with a password',
    access: 'public',
    body: inputs.loginInput,
    answers: { 200: objects.session },
    errors: signIn,
  },
  'auth.requestCode': {
    method: 'POST',
    path: '/auth/request-code',
    tag: 'auth',
    summary: 'Ask for a one-time code; creates the account of an unknown e-mail or phone',
    access: 'public',
    body: inputs.requestCodeInput,
    answers: { 202: z.object({ code: z.string().optional() }) },
    errors: ['RATE_LIMITED'],
  },
  'auth.verifyCode': {
    method: 'POST',
    path: '/auth/verify-code',
    tag: 'auth',
    summary: 'Log in with a one-time code',
    access: 'public',
    body: inputs.verifyCodeInput,
    answers: { 200: objects.session },
    errors: ['INVALID_CODE', 'RATE_LIMITED'],
  },
  'auth.refresh': {
    method: 'POST',
    path: '/auth/refresh',
    tag: 'auth',
    summary: 'Rotate the refresh token; a repeat within 10 s answers the same successor',
    access: 'public',
    body: inputs.refreshInput,
    answers: { 200: objects.session.omit({ user: true }) },
    errors: ['TOKEN_INVALID', 'REFRESH_TOKEN_REUSED', 'SESSION_REVOKED'],
  },
  'auth.logout': {
    method: 'POST',
    path: '/auth/logout',
    tag: 'auth',
    summary: 'End this session; no notification reaches its device afterwards',
    access: 'user',
    body: inputs.nothing,
    answers: { 204: null },
    errors: [],
  },
  'auth.logoutAll': {
    method: 'POST',
    path: '/auth/logout-all',
    tag: 'auth',
    summary: 'End every session of the account',
    access: 'user',
    body: inputs.nothing,
    answers: { 204: null },
    errors: [],
  },
  'auth.me': {
    method: 'GET',
    path: '/auth/me',
    tag: 'auth',
    summary: 'The account of this token',
    access: 'user',
    answers: { 200: objects.me },
    errors: [],
  },
} as const satisfies Record<string, Route>;
