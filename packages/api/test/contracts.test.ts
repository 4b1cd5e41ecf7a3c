import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { errorTable } from '@bluewave/errors/error-table';
import { asyncApiDocument } from '../src/asyncapi.ts';
import { bodyExamples } from '../src/examples.ts';
import { openApiDocument, type Json } from '../src/openapi.ts';
import type { Route } from '../src/route.ts';
import { routes } from '../src/routes.ts';
import { clientEvents, serverEvents } from '../src/socket-events.ts';

const table: [string, Route][] = Object.entries(routes);

/** Every `$ref` of a document with what it points to. */
function references(document: Json): { pointer: string; target: unknown }[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === '$ref' && typeof inner === 'string') found.push(inner);
      else visit(inner);
    }
  };
  visit(document);
  return found.map((pointer) => ({ pointer, target: resolve(document, pointer) }));
}

function resolve(document: Json, pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((value, key) => (value as Json | undefined)?.[key], document);
}

const at = (document: Json, pointer: string) => resolve(document, pointer) as Json;

describe('the OpenAPI document', () => {
  const document = openApiDocument();
  const paths = document['paths'] as Record<string, Record<string, Json>>;

  it('given the table of routes, when generated, then it has exactly these operations', () => {
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const wanted = table.map(([, route]) => `${route.method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(documented.sort()).toEqual(wanted.sort());
  });

  it('given its references, when followed, then each has a target', () => {
    expect(references(document).filter(({ target }) => target === undefined)).toEqual([]);
  });

  it('given its operations, when listed, then ids are unique and every path parameter is declared', () => {
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => ({ path, operation })),
    );
    const ids = operations.map(({ operation }) => operation['operationId']);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const declared = ((operation['parameters'] ?? []) as Json[])
        .filter((parameter) => parameter['in'] === 'path')
        .map((parameter) => parameter['name']);
      expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
    }
  });

  it('given every operation, when its refusals are read, then they are problems with codes of the error table', () => {
    for (const [id, route] of table) {
      const operation = paths[route.path.replaceAll(/:(\w+)/g, '{$1}')]?.[route.method.toLowerCase()];
      const responses = operation?.['responses'] as Record<string, Json>;
      const codes = Object.entries(responses).flatMap(([status, response]) => {
        const listed = (response['x-error-codes'] ?? []) as (keyof typeof errorTable)[];
        expect(listed.every((code) => errorTable[code].http === Number(status))).toBe(true);
        return listed;
      });
      expect({ id, codes }).toEqual({ id, codes: expect.arrayContaining([...route.errors, 'INTERNAL']) });
      expect(codes.includes('UNAUTHENTICATED')).toBe(route.access === 'user');
      expect(operation?.['security']).toEqual(route.access === 'public' ? [] : undefined);
    }
  });

  it('given its schemas, when compiled, then each is valid JSON Schema 2020-12', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'bluewave', components: document['components'] });
    const names = Object.keys(at(document, '#/components/schemas'));
    expect(names).toEqual(expect.arrayContaining(['Problem', 'Message', 'Conversation', 'Entry', 'Me', 'Media']));
    for (const name of names) {
      expect(() => ajv.compile({ $ref: `bluewave#/components/schemas/${name}` })).not.toThrow();
    }
  });

  it('given the examples of bodies, when checked, then they pass the schemas of their operations', () => {
    const withBody = table.filter(([, route]) => route.body).map(([id]) => id);
    expect(Object.keys(bodyExamples).sort()).toEqual(withBody.sort());
    for (const [id, route] of table) {
      if (!route.body) continue;
      const example = bodyExamples[id as keyof typeof bodyExamples];
      expect({ id, ...route.body.safeParse(example) }).toMatchObject({ id, success: true });
    }
  });
});

describe('the AsyncAPI document', () => {
  const document = asyncApiDocument();

  it('given the tables of events, when generated, then each is an operation with its message', () => {
    const operations = Object.values(document['operations'] as Record<string, Json>);
    const names = (action: string) =>
      operations
        .filter((operation) => operation['action'] === action)
        .map((operation) => {
          const [first] = operation['messages'] as { $ref: string }[];
          const { $ref } = at(document, first?.$ref ?? '') as { $ref: string };
          return at(document, $ref)['name'];
        });
    expect(names('receive')).toEqual(Object.keys(clientEvents));
    expect(names('send')).toEqual(Object.keys(serverEvents));
  });

  it('given its references and keys, when checked, then all targets exist and keys are allowed ones', () => {
    expect(references(document).filter(({ target }) => target === undefined)).toEqual([]);
    const components = document['components'] as Record<string, Json>;
    const keys = Object.values(components).flatMap((group) => Object.keys(group));
    expect(keys.filter((key) => !/^[\w.-]+$/.test(key))).toEqual([]);
  });

  it('given client events, when read, then each is answered by ok or a problem', () => {
    const send = at(document, '#/components/messages/message.send.ack');
    expect(send['payload']).toMatchObject({
      oneOf: [
        { properties: { ok: { const: true }, message: { $ref: '#/components/schemas/Message' } } },
        { properties: { ok: { const: false }, error: { $ref: '#/components/schemas/Problem' } } },
      ],
    });
  });
});
