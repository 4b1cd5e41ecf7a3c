import { describe, expect, it } from '@jest/globals';
import { AppError, toAppError } from '../src/app-error.ts';
import { errorTable, isErrorCode } from '../src/error-table.ts';
import { toProblem } from '../src/problem.ts';

describe('the error table', () => {
  it('given every code, then it is UPPER_SNAKE with an HTTP error status, a gRPC code and a title', () => {
    for (const [code, row] of Object.entries(errorTable)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(row.http).toBeGreaterThanOrEqual(400);
      expect(row.http).toBeLessThan(600);
      expect(row.grpc).toBeGreaterThan(0);
      expect(row.title.length).toBeGreaterThan(5);
    }
  });

  it('given what is no code, then it is none', () => {
    for (const value of ['nope', 'toString', '__proto__', 1, null, undefined]) expect(isErrorCode(value)).toBe(false);
    expect(isErrorCode('NOT_FOUND')).toBe(true);
  });
});

describe('an error on its way to a caller', () => {
  it('given an AppError, then the problem holds what the caller may know and nothing of the cause', () => {
    const error = new AppError('RATE_LIMITED', 'Wait a moment.', {
      cause: new Error('redis://user:secret@host'),
      retryAfterMs: 1_500,
      mutedUntil: '2026-01-01T00:00:00.000Z',
      fields: [{ path: 'text', code: 'too_big', message: 'is too long' }],
    });
    const problem = toProblem(error, 'trace');
    expect(problem).toEqual({
      type: 'urn:bluewave:error:rate-limited',
      title: 'Too many requests',
      status: 429,
      code: 'RATE_LIMITED',
      detail: 'Wait a moment.',
      traceId: 'trace',
      errors: [{ path: 'text', code: 'too_big', message: 'is too long' }],
      retryAfterMs: 1_500,
      mutedUntil: '2026-01-01T00:00:00.000Z',
    });
    expect(JSON.stringify(problem)).not.toContain('secret');
  });

  it('given anything that was thrown, then it becomes INTERNAL with the thing as its cause', () => {
    for (const thrown of [new TypeError('x is undefined'), 'text', null, undefined, { code: 'NOT_FOUND' }]) {
      const error = toAppError(thrown);
      expect({ code: error.code, cause: error.cause, retryable: error.retryable }).toEqual({
        code: 'INTERNAL',
        cause: thrown,
        retryable: true,
      });
    }
    const known = new AppError('FORBIDDEN', 'No.');
    expect(toAppError(known)).toBe(known);
  });
});
