import { faultErrors } from './fcm-error.ts';

/** What a test can make the stand-in do: answer an error, or never answer. */
export type Fault = keyof typeof faultErrors | 'HANG';

/** A change of the faults: for one token, or for all without one; `null` ends it. */
export type FaultOrder = { token?: string; error: Fault | null };

const isFault = (value: unknown): value is Fault =>
  typeof value === 'string' && (value === 'HANG' || Object.hasOwn(faultErrors, value));

/** Reads the body of `POST /faults`; a sentence says what is wrong with it. */
export const parseFaultOrder = (body: unknown): FaultOrder | string => {
  if (typeof body !== 'object' || body === null) return 'a JSON object is expected';
  const unknownKey = Object.keys(body).find((key) => key !== 'token' && key !== 'error');
  if (unknownKey !== undefined) return `unknown key ${unknownKey}`;
  const token = 'token' in body ? body.token : undefined;
  const error = 'error' in body ? body.error : undefined;
  if (token !== undefined && (typeof token !== 'string' || token === '')) return 'token must be a string';
  if (error !== null && !isFault(error))
    return `error must be null, HANG or one of ${Object.keys(faultErrors).join(', ')}`;
  return { ...(token === undefined ? {} : { token }), error };
};

/** The faults in force. */
export class Faults {
  readonly #byToken = new Map<string, Fault>();
  #forAll: Fault | null = null;

  apply(order: FaultOrder): void {
    if (order.token === undefined) this.#forAll = order.error;
    else if (order.error === null) this.#byToken.delete(order.token);
    else this.#byToken.set(order.token, order.error);
    // "No error for anyone" ends those of single tokens as well.
    if (order.token === undefined && order.error === null) this.#byToken.clear();
  }

  /** The fault a send to this token meets; its own before the one for all. */
  of(token: string): Fault | null {
    return this.#byToken.get(token) ?? this.#forAll;
  }
}
