import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { AppError, type FieldError } from '@bluewave/errors/app-error';
import { isErrorCode } from '@bluewave/errors/error-table';

/** An answer that can be given again. */
export type KeptAnswer = { status: number; body: unknown; headers?: Record<string, string> };

export type IdempotentRequest = {
  /** The client's Idempotency-Key. */
  key: string;
  /** Whose keys these are: a user id, or `public`. */
  scope: string;
  routeId: string;
  /** The validated input: what makes two requests the same. */
  input: unknown;
};

/** What a key and its request yield; without the key none of it can be computed. */
export type Secrets = { name: string; fingerprint: string; cipherKey: Buffer };

type Sealed = { answer: KeptAnswer } | { error: { code: string; detail: string; fields?: FieldError[] } };

const nonceBytes = 12;
const tagBytes = 16;

/** Derives where an answer is kept, what request it belongs to and what it is sealed with. */
export function secretsOf({ key, scope, routeId, input }: IdempotentRequest): Secrets {
  const derived = Buffer.from(hkdfSync('sha256', key, `${scope}\n${routeId}`, 'bluewave idempotency', 96));
  return {
    name: derived.subarray(0, 32).toString('base64url'),
    fingerprint: createHmac('sha256', derived.subarray(32, 64)).update(JSON.stringify(input)).digest('base64url'),
    cipherKey: derived.subarray(64),
  };
}

export function sealAnswer(secrets: Secrets, answer: KeptAnswer | AppError): string {
  const content: Sealed = answer instanceof AppError ? { error: described(answer) } : { answer };
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', secrets.cipherKey, nonce);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(content)), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/** @throws when `sealed` was not made with these secrets. */
export function openAnswer(secrets: Secrets, sealed: string): KeptAnswer | AppError {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', secrets.cipherKey, bytes.subarray(0, nonceBytes));
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString();
  const content = JSON.parse(text) as Sealed;
  if ('answer' in content) return content.answer;
  const { code, detail, fields } = content.error;
  return new AppError(isErrorCode(code) ? code : 'INTERNAL', detail, fields ? { fields } : {});
}

function described({ code, detail, fields }: AppError): { code: string; detail: string; fields?: FieldError[] } {
  return { code, detail, ...(fields ? { fields } : {}) };
}
