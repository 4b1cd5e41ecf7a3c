import { toAppError } from '@bluewave/errors/app-error';
import { mongoFailure } from '@bluewave/mongo/mongo-failure';
import type { CallContext } from '@bluewave/rpc/service-definition';
import type { Histogram } from 'prom-client';

type Handler = (request: never, context: CallContext) => Promise<unknown>;
export type CallDurations = Histogram<'method' | 'outcome'>;

/**
 * Each handler with its duration and outcome (`ok` or the error's code) measured, and failures of the database
 * turned into what they mean to a caller.
 */
export function observeHandlers<H extends { [K in keyof H]: Handler }>(handlers: H, durations: CallDurations): H {
  const observed = Object.entries<Handler>(handlers).map(([method, handler]) => [
    method,
    async (request: never, context: CallContext) => {
      const end = durations.startTimer({ method });
      try {
        const reply = await handler(request, context);
        end({ outcome: 'ok' });
        return reply;
      } catch (thrown) {
        const error = toAppError(mongoFailure(thrown) ?? thrown);
        end({ outcome: error.code });
        throw error;
      }
    },
  ]);
  return Object.fromEntries(observed) as H;
}
