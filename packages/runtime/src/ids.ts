import { randomBytes } from 'node:crypto';
import { v4, v7 } from 'uuid';

/** A time-ordered id for everything but conversations. */
export const newId = (): string => v7();

/** A random id: conversation ids are shard keys and must spread. */
export const newConversationId = (): string => v4();

/** 32 hex digits, a W3C trace id. */
export const newTraceId = (): string => randomBytes(16).toString('hex');

const traceparent = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace id of a W3C `traceparent` header, or a new one when it is absent or malformed. */
export function traceIdOf(header: string | undefined): string {
  const found = header === undefined ? undefined : traceparent.exec(header)?.[1];
  return found && !/^0+$/.test(found) ? found : newTraceId();
}
