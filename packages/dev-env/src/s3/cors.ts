import { xmlElements } from './xml.ts';

/** What a browser asks before (or with) a request to another origin. */
export type CorsQuestion = { origin: string; method: string; headers: readonly string[] };

const fits = (pattern: string, value: string): boolean => {
  const [before = '', after] = pattern.split('*', 2);
  if (after === undefined) return pattern.toLowerCase() === value.toLowerCase();
  return value.startsWith(before) && value.endsWith(after) && value.length >= before.length + after.length;
};

/**
 * The `access-control-*` headers that a bucket's CORS configuration gives for a request; undefined when none of its
 * rules allows it.
 *
 * @param document the configuration as PutBucketCors got it
 */
export const corsHeaders = (document: string, question: CorsQuestion): Record<string, string> | undefined => {
  for (const rule of xmlElements(document, 'CORSRule')) {
    const origins = xmlElements(rule, 'AllowedOrigin');
    const allowed = xmlElements(rule, 'AllowedHeader');
    const isAllowed =
      origins.some((one) => fits(one, question.origin)) &&
      xmlElements(rule, 'AllowedMethod').includes(question.method) &&
      question.headers.every((header) => allowed.some((one) => fits(one, header)));
    if (!isAllowed) continue;
    const exposed = xmlElements(rule, 'ExposeHeader');
    return {
      'access-control-allow-origin': origins.includes('*') ? '*' : question.origin,
      'access-control-allow-methods': xmlElements(rule, 'AllowedMethod').join(', '),
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
      ...(question.headers.length === 0 ? {} : { 'access-control-allow-headers': question.headers.join(', ') }),
      ...(exposed.length === 0 ? {} : { 'access-control-expose-headers': exposed.join(', ') }),
    };
  }
  return undefined;
};
