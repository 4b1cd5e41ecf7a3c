import { z } from 'zod';
import { JsonSchemas, type JsonSchema } from './json-schemas.ts';
import type { Json } from './openapi.ts';
import { problem } from './problem-schema.ts';
import { clientEvents, type ClientEvent, serverEvents, type ServerEvent } from './socket-events.ts';

const description = `Socket.IO 4, path \`/socket.io\`, namespace \`/\`; WebSocket first, long polling works. The handshake carries
\`auth: {token, deviceId?}\` with an access token.

Every event from client to server is acknowledged: \`{ok: true, ...}\` or \`{ok: false, error: Problem}\`. Events with a
\`seq\` are entries of a conversation's log: apply \`have + 1\`, drop what is not newer, hold what is further ahead for
300 ms and then ask \`sync\` for what is missing. The REST operations are described at [/docs](/docs).`;

/** The AsyncAPI 3 document of every socket event, made from the tables that the gateway serves by. */
export function asyncApiDocument(): Json {
  const schemas = new JsonSchemas();
  schemas.of(problem);
  const messages: Record<string, Json> = {};
  const operations: Record<string, Json> = {};
  for (const [name, event] of Object.entries(clientEvents) as [string, ClientEvent][]) {
    messages[keyOf(name)] = message(name, event.summary, schemas.of(event.payload));
    messages[`${keyOf(name)}.ack`] = message(`${name} ack`, `Acknowledgement of ${name}`, ackOf(event, schemas));
    operations[`receive.${keyOf(name)}`] = {
      action: 'receive',
      channel: { $ref: '#/channels/socket' },
      summary: event.summary,
      messages: [reference(name)],
      reply: { channel: { $ref: '#/channels/socket' }, messages: [reference(name, '.ack')] },
    };
  }
  for (const [name, event] of Object.entries(serverEvents) as [string, ServerEvent][]) {
    const key = messages[keyOf(name)] === undefined ? keyOf(name) : `${keyOf(name)}.event`;
    messages[key] = message(name, event.summary, schemas.of(event.payload));
    operations[`send.${keyOf(name)}`] = {
      action: 'send',
      channel: { $ref: '#/channels/socket' },
      summary: event.summary,
      messages: [{ $ref: `#/channels/socket/messages/${key}` }],
    };
  }
  return {
    asyncapi: '3.0.0',
    info: { title: 'Bluewave socket events', version: '1', description, license: { name: 'Apache-2.0' } },
    defaultContentType: 'application/json',
    servers: { gateway: { host: 'localhost:8080', pathname: '/socket.io', protocol: 'wss', description: 'Socket.IO' } },
    channels: {
      socket: {
        address: '/',
        title: 'The one namespace',
        servers: [{ $ref: '#/servers/gateway' }],
        messages: Object.fromEntries(
          Object.keys(messages).map((key) => [key, { $ref: `#/components/messages/${key}` }]),
        ),
      },
    },
    operations,
    components: { messages, schemas: schemas.components },
  };
}

/** Event names have colons, keys of components must not. */
function keyOf(event: string): string {
  return event.replaceAll(':', '.');
}

function reference(event: string, suffix = ''): Json {
  return { $ref: `#/channels/socket/messages/${keyOf(event)}${suffix}` };
}

function message(name: string, summary: string, payload: JsonSchema): Json {
  return { name, title: name, summary, payload };
}

function ackOf(event: ClientEvent, schemas: JsonSchemas): JsonSchema {
  return {
    oneOf: [
      schemas.of(z.object({ ok: z.literal(true) }).extend(event.ack.shape)),
      schemas.of(z.object({ ok: z.literal(false), error: problem })),
    ],
  };
}
