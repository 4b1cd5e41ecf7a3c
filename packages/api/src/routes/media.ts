import { z } from 'zod';
import { uuid } from '../fields.ts';
import * as inputs from '../inputs.ts';
import * as objects from '../objects.ts';
import type { Route } from '../route.ts';
import { byUpload } from './parameters.ts';

export const mediaRoutes = {
  'media.uploadUrl': {
    method: 'POST',
    path: '/media/upload-url',
    tag: 'media',
    summary: 'A presigned PUT straight to the object storage',
    access: 'user',
    body: inputs.uploadInput,
    answers: {
      201: z.object({
        uploadId: uuid,
        method: z.literal('PUT'),
        url: z.string(),
        headers: z.record(z.string(), z.string()),
        expiresAt: z.string(),
      }),
    },
    errors: ['NOT_FOUND', 'FILE_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'RATE_LIMITED'],
  },
  'media.confirm': {
    method: 'POST',
    path: '/media/confirm',
    tag: 'media',
    summary: 'Say that the PUT is done: the bytes are verified and processed',
    access: 'user',
    body: inputs.confirmInput,
    answers: { 200: objects.media },
    errors: ['NOT_FOUND', 'UPLOAD_MISSING', 'UPLOAD_REJECTED', 'UPLOAD_EXPIRED'],
  },
  'media.get': {
    method: 'GET',
    path: '/media/:uploadId',
    tag: 'media',
    summary: 'State of an upload',
    access: 'user',
    params: byUpload,
    answers: { 200: objects.media },
    errors: ['NOT_FOUND'],
  },
  'media.delete': {
    method: 'DELETE',
    path: '/media/:uploadId',
    tag: 'media',
    summary: 'Delete an own upload',
    access: 'user',
    params: byUpload,
    answers: { 204: null },
    errors: ['NOT_FOUND'],
  },
  'media.content': {
    method: 'GET',
    path: '/media/:uploadId/content',
    tag: 'media',
    summary: 'Redirects to a signed URL of the content, for its owner and members of a conversation that shows it',
    access: 'user',
    params: byUpload,
    answers: { 302: null },
    errors: ['NOT_FOUND'],
  },
  'media.thumbnail': {
    method: 'GET',
    path: '/media/:uploadId/thumbnail',
    tag: 'media',
    summary: 'Redirects to a signed URL of the thumbnail',
    access: 'user',
    params: byUpload,
    answers: { 302: null },
    errors: ['NOT_FOUND'],
  },
} as const satisfies Record<string, Route>;
