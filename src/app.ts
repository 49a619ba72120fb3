import express, { type Express } from 'express';
import { isWithin } from './addresses.ts';
import { auditRoutes } from './audit/routes.ts';
import { commandRoutes } from './commands/routes.ts';
import type { Context } from './context.ts';
import { dbtCloudDialects } from './dbt-cloud/envelope.ts';
import { dbtCloudRoutes } from './dbt-cloud/routes.ts';
import { dbtCloudWebhookRoutes } from './dbt-cloud/webhook-routes.ts';
import { developerRoutes } from './developers/routes.ts';
import { AppError } from './errors.ts';
import { environmentRoutes } from './environments/routes.ts';
import { eventRoutes } from './events/routes.ts';
import { hookRoutes } from './hooks/routes.ts';
import { apiPage } from './http/api-page.ts';
import { browsersToConsole, consolePage } from './http/console-page.ts';
import { openApiDocument } from './http/openapi.ts';
import { answerErrors } from './http/problem.ts';
import { logRequests } from './http/request-log.ts';
import { limitAddresses, openRateLimits } from './http/rate-limits.ts';
import type { Route } from './http/route.ts';
import { serveRoutes } from './http/serve-routes.ts';
import { invitationRoutes } from './invitations/routes.ts';
import { jobRoutes } from './jobs/routes.ts';
import { organizationRoutes } from './organizations/routes.ts';
import { projectRoutes } from './projects/routes.ts';
import { factsOfRun } from './runs/facts-of-run.ts';
import { runRoutes } from './runs/routes.ts';
import { serverRoutes } from './server-routes.ts';
import { openAuthentication } from './sessions/authenticate.ts';
import { openIdRoutes } from './sessions/open-id-routes.ts';
import { sessionRoutes } from './sessions/routes.ts';
import { openSignInLimit } from './sessions/sign-in-limit.ts';
import { tokenRoutes } from './tokens/routes.ts';
import { userRoutes } from './users/routes.ts';
import { webhookRoutes } from './webhooks/routes.ts';

/** Every endpoint there is. */
export function apiRoutes(context: Context): Route[] {
  // One for all that asks for a password: whoever guesses gets no further by asking at several places.
  const limit = openSignInLimit();
  return [
    ...projectRoutes(context),
    ...environmentRoutes(context),
    ...jobRoutes(context),
    ...commandRoutes(),
    ...runRoutes(context),
    ...webhookRoutes(context),
    ...hookRoutes(context, factsOfRun),
    ...eventRoutes(context),
    ...organizationRoutes(context),
    ...userRoutes(context),
    ...invitationRoutes(context, limit),
    ...tokenRoutes(context),
    ...sessionRoutes(context, limit),
    ...openIdRoutes(context),
    ...auditRoutes(context),
    ...dbtCloudRoutes(context),
    ...dbtCloudWebhookRoutes(context),
    ...developerRoutes(context),
    ...serverRoutes(context),
  ];
}

/** The whole HTTP API over one context. Does not listen. */
export function createApp(context: Context): Express {
  const routes = apiRoutes(context);
  const document = openApiDocument(routes, dbtCloudDialects);
  const limits = openRateLimits(context);

  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('trust proxy', (address: string) => isWithin(address, context.config.DCTL_TRUSTED_PROXIES));
  app.use(logRequests(context));
  app.use((request, _response, next) => {
    request.url = withPlainSlashes(request.url);
    next();
  });
  app.use(browsersToConsole());
  app.use(serveRoutes(context, routes, openAuthentication(context), limits));
  app.use(limitAddresses(limits));
  app.get('/api/openapi.json', (_request, response) => void response.json(document));
  app.use(apiPage());
  app.use(consolePage());
  app.use(() => {
    throw new AppError(
      'not_found',
      'There is nothing at this address. GET /api/openapi.json lists what there is, and /api/docs shows it.',
    );
  });
  app.use(answerErrors(context, dbtCloudDialects));
  return app;
}

/** Doubled slashes and one at the end make no other address. The query is left as it is. */
function withPlainSlashes(url: string): string {
  const [path = '/', ...query] = url.split('?');
  // A client that believes we are a proxy sends the whole address.
  const local = path.replace(/^https?:\/\/[^/]*/i, '');
  const plain = `/${local}`.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
  return [plain, ...query].join('?');
}
