import { z } from 'zod';
import type { Context } from './context.ts';
import { jsonRoute, streamRoute, type Route } from './http/route.ts';
import { partsOfServer, requireReady } from './readiness.ts';
import { openServerMetrics } from './server-metrics.ts';

/** What is asked about the server itself, by whoever watches over it. */
export function serverRoutes(context: Context): Route[] {
  const status = z.object({ status: z.literal('ok') });
  const server = z.object({ name: z.literal('dctl'), api: z.string(), docs: z.string() });
  const scrape = openServerMetrics(context);
  return [
    jsonRoute({
      method: 'get',
      path: '/',
      name: 'getServer',
      summary: 'What is here: clients ask this to see whether somebody is',
      tag: 'Server',
      scope: null,
      success: { status: 200, description: 'Where to read on', schema: server },
      handle: async () => ({ name: 'dctl' as const, api: '/api/openapi.json', docs: '/api/docs' }),
    }),
    jsonRoute({
      method: 'get',
      path: '/livez',
      name: 'isAlive',
      summary: 'Whether the process works at all',
      tag: 'Server',
      scope: null,
      success: { status: 200, description: 'It does', schema: status },
      handle: async () => ({ status: 'ok' as const }),
    }),
    jsonRoute({
      method: 'get',
      path: '/readyz',
      name: 'isReady',
      summary: 'Whether triggers can be taken; names what is wrong',
      tag: 'Server',
      scope: null,
      success: { status: 200, description: 'They can', schema: status },
      handle: async () => {
        await requireReady(partsOfServer(context));
        return { status: 'ok' as const };
      },
    }),
    streamRoute({
      method: 'get',
      path: '/metrics',
      name: 'getMetrics',
      summary: 'Figures for Prometheus; asks for DCTL_METRICS_TOKEN where one is set',
      tag: 'Server',
      scope: null,
      success: { status: 200, description: 'Prometheus text', contentType: 'text/plain' },
      handle: async ({ header }, response) => {
        const text = await scrape.text(header('authorization'));
        response.setHeader('Content-Type', scrape.contentType);
        response.end(text);
      },
    }),
  ];
}
