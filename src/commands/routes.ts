import { jsonRoute, type Route } from '../http/route.ts';
import { parseCommand } from './parse-command.ts';
import * as shapes from './schema.ts';

export const commandRoutes = (): Route[] => [
  jsonRoute({
    method: 'post',
    path: '/api/v1/commands/check',
    name: 'checkCommand',
    summary: 'Whether a job may have a command, for whoever is typing one',
    tag: 'Jobs',
    scope: 'read',
    body: shapes.commandToCheck,
    success: {
      status: 200,
      description: 'It may, or what is wrong with it and where',
      schema: shapes.commandVerdict,
    },
    handle: async ({ body }) => {
      const verdict = parseCommand(body.command, body.type);
      return verdict.accepted
        ? { accepted: true as const, command: verdict.command, words: verdict.argv }
        : { accepted: false as const, detail: verdict.detail, position: verdict.position };
    },
  }),
];
