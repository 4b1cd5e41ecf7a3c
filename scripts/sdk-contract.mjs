// Writes sdk/src/contract.ts, the client's types, from packages/api: objects, REST operations, socket events and error
// codes. The published client needs neither packages/api nor zod. With --check: fails when the file is out of date.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = join(root, 'sdk/src/contract.ts');

const tsc = join(root, 'node_modules/typescript/bin/tsc');
const built = spawnSync(process.execPath, [tsc, '-b', 'packages/api'], { cwd: root, stdio: 'inherit' });
if (built.status !== 0) process.exit(1);

const { openApiDocument } = await import('../packages/api/dist/openapi.js');
const { asyncApiDocument } = await import('../packages/api/dist/asyncapi.js');

/** The TypeScript type of a JSON schema. Throws for what it does not know, so that nothing becomes `unknown` by accident. */
function typeOf(schema) {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const options = schema.oneOf ?? schema.anyOf;
  if (options !== undefined) return options.map(typeOf).join(' | ');
  if (schema.allOf !== undefined) return schema.allOf.map((one) => `(${typeOf(one)})`).join(' & ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return arrayOf(schema);
    case 'object':
      return objectOf(schema);
    case undefined:
      if (Object.keys(schema).every((key) => key === 'description')) return 'unknown';
  }
  throw new Error(`no type for the schema ${JSON.stringify(schema)}`);
}

function arrayOf(schema) {
  if (schema.prefixItems === undefined) return `(${typeOf(schema.items)})[]`;
  return `[${schema.prefixItems.map(typeOf).join(', ')}]`;
}

function objectOf(schema) {
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) {
    const values = schema.additionalProperties;
    if (typeof values === 'object') return `Record<string, ${typeOf(values)}>`;
    return 'Record<string, never>';
  }
  const required = new Set(schema.required);
  return `{ ${fields
    .map(([name, field]) => `${JSON.stringify(name)}${required.has(name) ? '' : '?'}: ${typeOf(field)};`)
    .join(' ')} }`;
}

/** Query values are text on the wire; those that are numbers are numbers for callers. */
const isNumeric = ({ type, pattern }) => type === 'string' && typeof pattern === 'string' && pattern.startsWith('^\\d');

function fieldsIn(place, operation, document) {
  const fields = (operation.parameters ?? [])
    .map((one) => (one.$ref === undefined ? one : document.components.parameters[one.$ref.split('/').at(-1)]))
    .filter((one) => one.in === place)
    .map(({ name, required, schema }) => {
      const type = place === 'query' && isNumeric(schema) ? 'number' : typeOf(schema);
      return `${JSON.stringify(name)}${required ? '' : '?'}: ${type};`;
    });
  return fields.length === 0 ? undefined : `{ ${fields.join(' ')} }`;
}

function answerOf(operation) {
  const bodies = Object.entries(operation.responses)
    .filter(([status]) => status < 400)
    .map(([, { content }]) => (content === undefined ? 'undefined' : typeOf(content['application/json'].schema)));
  return [...new Set(bodies)].join(' | ');
}

function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const body = operation.requestBody?.content['application/json'].schema;
      const needsBody = operation.requestBody?.required === true;
      const parts = [
        ['params', fieldsIn('path', operation, document), true],
        ['query', fieldsIn('query', operation, document), /"\w+": /.test(fieldsIn('query', operation, document) ?? '')],
        ['body', body && typeOf(body), needsBody],
      ].flatMap(([name, type, required]) => (type === undefined ? [] : [`${name}${required ? '' : '?'}: ${type};`]));
      return {
        name: operation.operationId,
        summary: operation.summary,
        input: parts.length === 0 ? 'Record<string, never>' : `{ ${parts.join(' ')} }`,
        answer: answerOf(operation),
        row: [method.toUpperCase(), path, ...(operation.security?.length === 0 ? ['public'] : [])],
      };
    }),
  );
}

function eventsOf(document) {
  const { messages } = document.components;
  const fromClient = [];
  const fromServer = [];
  for (const { action, messages: sent, summary } of Object.values(document.operations)) {
    const key = sent[0].$ref.split('/').at(-1);
    const { name, payload } = messages[key];
    const event = { name, summary, payload: typeOf(payload) };
    if (action === 'send') fromServer.push(event);
    else fromClient.push({ ...event, ack: typeOf(messages[`${key}.ack`].payload.oneOf[0]) });
  }
  return { fromClient, fromServer };
}

const doc = (text) => `/** ${text.replaceAll('*/', '* /')} */\n`;

function source() {
  const openApi = openApiDocument();
  const asyncApi = asyncApiDocument();
  const schemas = { ...openApi.components.schemas, ...asyncApi.components.schemas };
  const operations = operationsOf(openApi);
  const { fromClient, fromServer } = eventsOf(asyncApi);
  const codes = schemas.Problem.properties.code.enum;
  return [
    '// Generated by scripts/sdk-contract.mjs from the contract. Do not edit.',
    `export type ErrorCode = ${codes.map((code) => JSON.stringify(code)).join(' | ')};`,
    ...Object.keys(schemas)
      .sort()
      .map((name) => `export type ${name} = ${typeOf(schemas[name])};`),
    `/** What each REST operation takes and answers. */\nexport type Operations = { ${operations
      .map(({ name, summary, input, answer }) => `${doc(summary)} ${name}: { input: ${input}; answer: ${answer} };`)
      .join('\n')} };`,
    `/** Events from client to server: what they carry, and the acknowledgement of those that were accepted. */\nexport type ClientEvents = { ${fromClient
      .map(({ name, summary, payload, ack }) => `${doc(summary)} '${name}': { payload: ${payload}; ack: ${ack} };`)
      .join('\n')} };`,
    `/** Events from server to client. */\nexport type ServerEvents = { ${fromServer
      .map(({ name, summary, payload }) => `${doc(summary)} '${name}': ${payload};`)
      .join('\n')} };`,
    `/** Method and path of each REST operation, below /api/v1; \`public\` needs no token. */\nexport const operations: Record<keyof Operations, readonly [method: string, path: string, access?: 'public']> = { ${operations
      .map(({ name, row }) => `${name}: ${JSON.stringify(row)},`)
      .join('\n')} };`,
  ].join('\n\n');
}

const text = await format(source(), { parser: 'typescript', printWidth: 120, singleQuote: true, trailingComma: 'all' });
if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
  if (process.argv.includes('--check')) {
    process.stderr.write('Out of date: sdk/src/contract.ts. Run: node scripts/sdk-contract.mjs\n');
    process.exit(1);
  }
  writeFileSync(file, text);
}
