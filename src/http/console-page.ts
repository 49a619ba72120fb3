import { existsSync, readdirSync } from 'node:fs';
import { extname } from 'node:path';
import { Router, static as files, type RequestHandler, type Response } from 'express';
import { installed } from '../installation.ts';

/**
 * The console: files that a browser gets once, and one page for every address below /console. All else it does through
 * the API, as anybody. Its policy lets it ask nobody but this server, and run no code but those files.
 */
export function consolePage(): Router {
  const router = Router();
  const folder = installed('dist/console');
  if (!existsSync(folder)) return router;
  router.use(
    '/console/assets',
    packedFiles(`${folder}/assets`),
    files(`${folder}/assets`, { immutable: true, maxAge: '1y', index: false, setHeaders: harden }),
  );
  router.get('/console/icon.svg', (_request, response) => {
    harden(response);
    response.sendFile(`${folder}/icon.svg`, { dotfiles: 'allow', maxAge: '1h' });
  });
  router.get(['/console', '/console/*path'], (_request, response) => {
    harden(response);
    response.set('Cache-Control', 'no-cache');
    response.sendFile(`${folder}/index.html`, { dotfiles: 'allow' });
  });
  return router;
}

/** For a browser that takes it, the packed file that the build left beside the one asked for. */
function packedFiles(folder: string): RequestHandler {
  const packed = new Set(readdirSync(folder).filter((name) => name.endsWith('.gz')));
  return (request, response, next) => {
    response.vary('Accept-Encoding');
    if (packed.has(`${request.path.slice(1)}.gz`) && request.acceptsEncodings('gzip') !== false) {
      response.set('Content-Encoding', 'gzip').type(extname(request.path));
      request.url = `${request.path}.gz`;
    }
    next();
  };
}

/** Whoever opens the server's address in a browser is there for the console; programs are told what is here. */
export function browsersToConsole(): RequestHandler {
  return (request, response, next) => {
    const isPage = request.path === '/' && (request.get('accept') ?? '').includes('text/html');
    if (isPage && ['GET', 'HEAD'].includes(request.method)) response.vary('Accept').redirect('/console/');
    else next();
  };
}

function harden(response: Response): void {
  response.set({
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
    'Cross-Origin-Opener-Policy': 'same-origin',
  });
}
