import { type AppError, toAppError } from '@bluewave/errors/app-error';
import { mongoFailure } from '@bluewave/mongo/mongo-failure';
import type { CallContext } from '@bluewave/rpc/service-definition';

type Handler = (request: never, context: CallContext) => Promise<unknown>;

/** Anything thrown as what it means to a caller: a database that is away is UNAVAILABLE, a slow one out of time. */
export function toFailure(thrown: unknown): AppError {
  return toAppError(mongoFailure(thrown) ?? thrown);
}

/** Handlers whose failures are what they mean to a caller. */
export function withFailures<H extends { [K in keyof H]: Handler }>(handlers: H): H {
  const wrapped = Object.entries<Handler>(handlers).map(([name, handler]) => [
    name,
    async (request: never, context: CallContext) => {
      try {
        return await handler(request, context);
      } catch (thrown) {
        throw toFailure(thrown);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as H;
}
