import { invalidArgument, type FcmError } from './fcm-error.ts';
import type { FcmMessage } from './inbox.ts';
import { requestShape, type Shape } from './message-shape.ts';

/** A request that FCM would take. */
export type SendRequest = { token: string; message: FcmMessage; validateOnly: boolean };

const MOST_BYTES = 4_096;
const RESERVED_KEY = /^(from|message_type|google\..*|gcm\.notification\..*)$/;
const DURATION = /^\d+(\.\d{1,9})?s$/;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const isStringMap = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((one) => typeof one === 'string');

const isScalar = (kind: Exclude<Shape['kind'], 'object' | 'enum'>, value: unknown): boolean => {
  switch (kind) {
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'duration':
      return typeof value === 'string' && DURATION.test(value);
    case 'strings':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
    case 'durations':
      return Array.isArray(value) && value.every((one) => typeof one === 'string' && DURATION.test(one));
    case 'stringMap':
      return isStringMap(value);
    case 'struct':
      return isRecord(value);
  }
};

const checkObject = (fields: Readonly<Record<string, Shape>>, value: unknown, path: string): FcmError | undefined => {
  if (!isRecord(value)) return invalidArgument(path, `Invalid value at '${path}': an object is expected.`);
  for (const [name, inner] of Object.entries(value)) {
    const shape = fields[snakeCase(name)];
    if (shape === undefined)
      return invalidArgument(
        path,
        `Invalid JSON payload received. Unknown name "${name}" at '${path}': Cannot find field.`,
      );
    const problem = checkShape(shape, inner, path === '' ? name : `${path}.${name}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
};

const checkShape = (shape: Shape, value: unknown, path: string): FcmError | undefined => {
  // As in protobuf's JSON mapping, null is the same as an absent field.
  if (value === null) return undefined;
  if (shape.kind === 'object') return checkObject(shape.fields, value, path);
  if (shape.kind === 'enum')
    return typeof value === 'string' && shape.values.includes(value)
      ? undefined
      : invalidArgument(path, `Invalid value at '${path}': one of ${shape.values.join(', ')} is expected.`);
  return isScalar(shape.kind, value)
    ? undefined
    : invalidArgument(path, `Invalid value at '${path}': ${JSON.stringify(value)} is no ${shape.kind}.`);
};

const checkDataKeys = (message: FcmMessage): FcmError | undefined => {
  const reserved = Object.keys(isRecord(message['data']) ? message['data'] : {}).find((key) => RESERVED_KEY.test(key));
  return reserved === undefined ? undefined : invalidArgument('message.data', `Invalid data payload key: ${reserved}`);
};

const bytes = (value: unknown): number => (value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value)));

/** FCM lets 4,096 bytes through to a device: notification and data for Android, the payload for Apple. */
const checkSize = (message: FcmMessage): FcmError | undefined => {
  const android = isRecord(message['android']) ? message['android'] : {};
  const apns = isRecord(message['apns']) ? message['apns'] : {};
  const common = bytes(message['notification']) + bytes(message['data']);
  if (common + bytes(android['notification']) + bytes(android['data']) > MOST_BYTES)
    return invalidArgument('message', 'Android message is too big');
  return bytes(apns['payload']) > MOST_BYTES
    ? invalidArgument('message.apns.payload', 'APNS payload too big')
    : undefined;
};

const checkTarget = (message: FcmMessage): FcmError | undefined => {
  const targets = ['token', 'topic', 'condition'].filter((name) => message[name] !== undefined);
  if (targets.length !== 1 || targets[0] !== 'token')
    return invalidArgument('message.token', 'Exactly one recipient, a token, is expected in this message.');
  const token = message['token'];
  return typeof token === 'string' && /^\S{1,4096}$/.test(token)
    ? undefined
    : invalidArgument('message.token', 'The registration token is not a valid FCM registration token');
};

/** Checks a parsed body of `messages:send` as FCM v1 does: names, types, sizes, the recipient. */
export const validateRequest = (body: unknown): { request: SendRequest } | { error: FcmError } => {
  const shapeError = checkShape(requestShape, body, '');
  if (shapeError !== undefined) return { error: shapeError };
  const message = isRecord(body) ? body['message'] : undefined;
  if (!isRecord(message)) return { error: invalidArgument('message', 'Message is missing.') };
  const error = checkTarget(message) ?? checkDataKeys(message) ?? checkSize(message);
  if (error !== undefined) return { error };
  const validateOnly = isRecord(body) && (body['validate_only'] ?? body['validateOnly']) === true;
  return { request: { token: String(message['token']), message, validateOnly } };
};
