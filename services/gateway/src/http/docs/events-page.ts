type Message = { name: string; summary: string; payload: unknown };
type Operation = {
  action: 'send' | 'receive';
  summary: string;
  messages: { $ref: string }[];
  reply?: { messages: { $ref: string }[] };
};
type Document = {
  info: { title: string; description: string };
  operations: Record<string, Operation>;
  components: { messages: Record<string, Message>; schemas: Record<string, unknown> };
};

/** The socket events as a page for people, from the AsyncAPI document. Needs no script. */
export function eventsPage(asyncApi: object): string {
  const document = asyncApi as Document;
  const operations = Object.values(document.operations);
  const list = (action: Operation['action']): string =>
    operations
      .filter((operation) => operation.action === action)
      .map((operation) => section(document, operation))
      .join('\n');
  const schemas = Object.entries(document.components.schemas)
    .map(([name, schema]) => `<section id="${escape(name)}"><h3>${escape(name)}</h3>${code(schema)}</section>`)
    .join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(document.info.title)}</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
<nav><a href="/docs">REST operations</a> <a href="/docs/events" aria-current="page">Socket events</a>
<a href="/api/v1/openapi.json">openapi.json</a> <a href="/api/v1/asyncapi.json">asyncapi.json</a></nav>
<main>
<h1>${escape(document.info.title)}</h1>
<p class="lead">${inline(document.info.description)}</p>
<h2>Client to server</h2>
${list('receive')}
<h2>Server to client</h2>
${list('send')}
<h2>Objects</h2>
${schemas}
</main>
</body>
</html>
`;
}

/** Escaped text in which `code` and [links](/path) of the description are shown as such. */
function inline(text: string): string {
  return escape(text)
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll(/\[([^\]]+)\]\((\/[^)\s]*)\)/g, '<a href="$2">$1</a>');
}

function section(document: Document, operation: Operation): string {
  const message = find(document, operation.messages);
  const ack = operation.reply ? find(document, operation.reply.messages) : undefined;
  const direction = operation.action === 'receive' ? 'to' : 'from';
  return `<section id="${escape(message.name)}"><h3><span class="${direction}">${escape(message.name)}</span></h3>
<p>${escape(operation.summary)}</p>
<details><summary>Payload</summary>${code(message.payload)}</details>
${ack ? `<details><summary>Acknowledgement</summary>${code(ack.payload)}</details>` : ''}</section>`;
}

function find(document: Document, messages: { $ref: string }[]): Message {
  const key = messages[0]?.$ref.split('/').at(-1) ?? '';
  const message = document.components.messages[key];
  if (!message) throw new Error(`no message ${key} in the document`);
  return message;
}

/** A schema, with links to the objects it names. */
function code(schema: unknown): string {
  const text = escape(JSON.stringify(schema, null, 2));
  return `<pre>${text.replaceAll(/#\/components\/schemas\/(\w+)/g, '<a href="#$1">$1</a>')}</pre>`;
}

function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
