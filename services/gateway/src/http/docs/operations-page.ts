/** Swagger UI over our own document. */
export const operationsPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bluewave API</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
<nav><a href="/docs" aria-current="page">REST operations</a> <a href="/docs/events">Socket events</a>
<a href="/api/v1/openapi.json">openapi.json</a> <a href="/api/v1/asyncapi.json">asyncapi.json</a></nav>
<div id="operations"></div>
<noscript>The operations are described in <a href="/api/v1/openapi.json">openapi.json</a>.</noscript>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

export const operationsScript = `window.addEventListener('load', () => {
  SwaggerUIBundle({
    url: '/api/v1/openapi.json',
    dom_id: '#operations',
    deepLinking: true,
    persistAuthorization: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
  });
});
`;

/** The style of the events page and of what frames Swagger UI, whose own elements it leaves alone. */
export const docsStyle = `body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1b2430; background: #fff; }
nav { padding: 0.75rem 1.5rem; background: #0b3954; }
nav a { color: #fff; margin-right: 1.5rem; text-decoration: none; }
nav a[aria-current] { font-weight: 600; border-bottom: 2px solid #8fd3fe; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
main section { border: 1px solid #d5dde5; border-radius: 6px; margin: 1rem 0; padding: 0.5rem 1rem; }
main h2 { margin-top: 2.5rem; }
main h3 { margin: 0.25rem 0; font-family: ui-monospace, monospace; font-size: 1.05rem; }
main h3 .to { color: #0b6e4f; } main h3 .from { color: #8a3ffc; }
main summary { cursor: pointer; color: #0b3954; }
main pre { background: #f4f6f8; padding: 0.75rem; overflow: auto; font-size: 0.85rem; border-radius: 4px; }
main p.lead { white-space: pre-line; }
main p.lead code { background: #f4f6f8; padding: 0 0.25rem; border-radius: 3px; }
`;
