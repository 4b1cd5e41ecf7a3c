import { AppError } from '@bluewave/errors/app-error';

/** The token of an `Authorization: Bearer` header; undefined without the header. @throws TOKEN_INVALID. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
  if (token === undefined)
    throw new AppError('TOKEN_INVALID', 'Send the access token as: Authorization: Bearer <token>.');
  return token;
}
