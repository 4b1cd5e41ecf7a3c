import {
  clientEvents,
  type ClientEventAck,
  type ClientEventName,
  type ClientEventPayload,
} from '@bluewave/api/socket-events';
import { AppError, type FieldError, toAppError } from '@bluewave/errors/app-error';
import { toProblem } from '@bluewave/errors/problem';
import type { CallContext } from '@bluewave/rpc/service-definition';
import { newTraceId } from '@bluewave/runtime/ids';
import type { Logger } from '@bluewave/runtime/logger';
import type { z } from 'zod';
import type { Due, EventDeadlines } from './event-deadlines.ts';
import type { CloseReason } from './close-socket.ts';
import type { SocketMetrics } from './socket-metrics.ts';
import type { GatewaySocket } from './socket-types.ts';

/** Serves one event: validated input in, the fields of the acknowledgement out, or an AppError. */
export type EventHandler<E extends ClientEventName> = (
  socket: GatewaySocket,
  input: ClientEventPayload<E>,
  context: CallContext,
) => Promise<ClientEventAck<E>>;

/** A handler for every event of the contract: one that is missing fails the build. */
export type EventHandlers = { [E in ClientEventName]: EventHandler<E> };

export type EventRouterOptions = {
  handlers: EventHandlers;
  deadlines: EventDeadlines;
  metrics: SocketMetrics;
  log: Logger;
  /** False lifts the guard on the rate of events (RATE_LIMITS=off). */
  limited: boolean;
  now: () => number;
  close(socket: GatewaySocket, why: CloseReason): void;
};

/** Takes one event as it arrived: its name, what it carries, and the acknowledgement if one is wanted. */
export type EventRouter = (socket: GatewaySocket, args: unknown[]) => void;

/** Every event is answered within this time. */
export const eventMs = 3_000;
const maxUnknown = 20;
const maxRefused = 1_000;
const maxInFlight = 1_000;

/**
 * Takes what a socket sends to its handler and answers each event exactly once: `{ok: true, ...}` or `{ok: false,
 * error}`, within 3 s. A client that wants no answer gets none; one that goes on sending what does not exist is cut.
 */
export function createEventRouter(options: EventRouterOptions): EventRouter {
  return (socket, args) => {
    const acknowledge = typeof args.at(-1) === 'function' ? (args.pop() as Acknowledge) : undefined;
    const [name, payload, ...more] = args;
    const event = new ServedEvent(options, socket, acknowledge);
    if (!isClientEvent(name)) return refuseUnknown(options, socket, event);
    event.name = name;
    const wait = options.limited ? socket.data.budget.take() : 0;
    if (wait > 0 || socket.data.budget.inFlight >= maxInFlight) return refuseTooMany(options, socket, event, wait);
    const parsed = clientEvents[name].payload.safeParse(payload ?? {});
    if (!parsed.success) return event.refuse(invalidPayload(parsed.error));
    if (more.length > 0) return event.refuse(tooManyArguments());
    try {
      if (options.limited) socket.data.limits.demandPace(name);
      event.serve(options.handlers[name], parsed.data, socket.data.limits.begin(name, socket));
    } catch (thrown) {
      event.refuse(toAppError(thrown));
    }
  };
}

type Acknowledge = (answer: unknown) => void;

/** One event from its arrival to its answer. */
class ServedEvent implements Due {
  readonly #options: EventRouterOptions;
  readonly #socket: GatewaySocket;
  readonly #acknowledge: Acknowledge | undefined;
  readonly #traceId = newTraceId();
  readonly #startedAt: number;
  #answered = false;
  name: ClientEventName | undefined;

  constructor(options: EventRouterOptions, socket: GatewaySocket, acknowledge: Acknowledge | undefined) {
    this.#options = options;
    this.#socket = socket;
    this.#acknowledge = acknowledge;
    this.#startedAt = options.now();
  }

  get deadline(): number {
    return this.#startedAt + eventMs;
  }

  serve(handler: EventHandler<ClientEventName>, input: ClientEventPayload<ClientEventName>, end: () => void): void {
    const { budget } = this.#socket.data;
    budget.inFlight += 1;
    this.#options.deadlines.add(this);
    handler(this.#socket, input as never, { traceId: this.#traceId, deadline: this.deadline })
      .then(
        (fields) => this.#answer({ ok: true, ...fields }, 'ok'),
        (thrown: unknown) => this.refuse(toAppError(thrown)),
      )
      .finally(() => {
        budget.inFlight -= 1;
        end();
        this.#options.deadlines.done(this);
      });
  }

  refuse(error: AppError): void {
    if (error.httpStatus >= 500 && !this.#answered) {
      this.#options.log.warn({ err: error, traceId: this.#traceId, event: this.name }, 'a socket event failed');
    }
    this.#answer({ ok: false, error: toProblem(error, this.#traceId) }, error.code);
  }

  expire(): void {
    this.refuse(new AppError('DEADLINE_EXCEEDED', 'The platform did not answer in time. Try again.'));
  }

  #answer(answer: object, outcome: Parameters<SocketMetrics['answered']>[1]): void {
    if (this.#answered) return;
    this.#answered = true;
    if (this.name) {
      this.#options.metrics.answered(this.name, outcome, (this.#options.now() - this.#startedAt) / 1_000);
      const { userId } = this.#socket.data.identity;
      this.#options.log.debug({ traceId: this.#traceId, event: this.name, outcome, userId }, 'event answered');
    }
    this.#acknowledge?.(answer);
  }
}

function isClientEvent(name: unknown): name is ClientEventName {
  return typeof name === 'string' && Object.hasOwn(clientEvents, name);
}

function refuseUnknown(options: EventRouterOptions, socket: GatewaySocket, event: ServedEvent): void {
  const { budget } = socket.data;
  options.metrics.unknownEvents.inc();
  budget.unknown += 1;
  event.refuse(new AppError('UNKNOWN_EVENT', 'There is no such event; /asyncapi.json lists those there are.'));
  if (budget.unknown >= maxUnknown) options.close(socket, 'unknown_events');
}

function refuseTooMany(options: EventRouterOptions, socket: GatewaySocket, event: ServedEvent, waitMs: number): void {
  const retryAfterMs = Math.max(waitMs, 100);
  event.refuse(new AppError('RATE_LIMITED', 'Too many events on this socket. Slow down.', { retryAfterMs }));
  if (socket.data.budget.refused >= maxRefused) options.close(socket, 'too_many_events');
}

function tooManyArguments(): AppError {
  return new AppError('VALIDATION_FAILED', 'An event has one payload and one acknowledgement.');
}

/** The refusal of a payload, naming each field. */
export function invalidPayload(error: z.ZodError): AppError {
  const fields: FieldError[] = error.issues.map((issue) => ({
    path: issue.path.map(String).join('.'),
    code: issue.code ?? 'invalid',
    message: issue.message,
  }));
  return new AppError('VALIDATION_FAILED', 'The payload does not match the schema of the event.', { fields });
}
