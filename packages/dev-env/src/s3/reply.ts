import type { ReadStream } from 'node:fs';
import { xmlDocument, type XmlValue } from './xml.ts';

/** What a request is answered with. */
export type Reply = {
  status: number;
  headers?: Record<string, string>;
  body?: string | ReadStream;
};

/** An answer without a body. */
export const emptyReply = (status: number, headers: Record<string, string> = {}): Reply => ({ status, headers });

/** An answer with an XML document. */
export const xmlReply = (name: string, value: XmlValue, headers: Record<string, string> = {}): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/xml', ...headers },
  body: xmlDocument(name, value),
});
