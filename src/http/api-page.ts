import { Router, type Response } from 'express';
import { installed } from '../installation.ts';

/**
 * The API for people to read and try: Swagger UI over /api/openapi.json. Everything it needs comes from here, and its
 * policy lets it ask nobody else.
 */
export function apiPage(): Router {
  const router = Router();
  router.get('/api/docs', (_request, response) => send(response, 'html', page));
  router.get('/api/docs/start.js', (_request, response) => send(response, 'js', start));
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']) {
    const path = installed(`node_modules/swagger-ui-dist/${file}`);
    router.get(`/api/docs/${file}`, (_request, response) => {
      response.set(headers);
      response.sendFile(path, { dotfiles: 'allow', maxAge: '1h' });
    });
  }
  return router;
}

function send(response: Response, type: string, text: string): void {
  response.set(headers).type(type).send(text);
}

const headers = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>dctl API</title>
    <link rel="stylesheet" href="/api/docs/swagger-ui.css" />
    <link rel="icon" type="image/png" href="/api/docs/favicon-32x32.png" />
  </head>
  <body>
    <div id="api"></div>
    <script src="/api/docs/swagger-ui-bundle.js"></script>
    <script src="/api/docs/start.js"></script>
  </body>
</html>
`;

// Without `validatorUrl: null` it would send the document's address to swagger.io.
const start = `SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  validatorUrl: null,
});
`;
