import type { ErrorCode } from '@bluewave/errors/error-table';
import type { z } from 'zod';

export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One REST operation: the source of its validation, its types and its documentation. */
export type Route = {
  method: RouteMethod;
  /** Below `/api/v1`; parameters as `:name`. */
  path: string;
  tag: string;
  summary: string;
  /** `public` needs no token. */
  access: 'public' | 'user';
  params?: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodType;
  /** Status -> body; null for none. */
  answers: Record<number, z.ZodType | null>;
  /** Codes this operation adds to those every one may answer. */
  errors: readonly ErrorCode[];
};

type OutputOf<T> = T extends z.ZodType ? z.output<T> : undefined;

/** What a handler of a route is given, validated. */
export type RouteInput<R extends Route> = {
  params: OutputOf<R['params']>;
  query: OutputOf<R['query']>;
  body: OutputOf<R['body']>;
};

/** What a handler of a route may answer: one of its statuses with that status's body. */
export type RouteAnswer<R extends Route> = {
  [S in keyof R['answers'] & number]: { status: S; body: OutputOf<R['answers'][S]> };
}[keyof R['answers'] & number];
