import { text } from 'node:stream/consumers';
import { places } from '../../client/operations.ts';
import { command } from '../command.ts';
import { UsageError } from '../failure.ts';
import { suggestion } from '../suggest.ts';
import { assignment } from '../values.ts';

export const api = command({
  name: 'api',
  summary: 'Call any operation of the API and print its answer',
  details: 'See /api/docs for names and fields. Give path parameters with --path, and the body on stdin.',
  examples: [
    'dctl api listAuditEvents --query action=run.triggered',
    'echo \'{"keep": 10}\' | dctl api pruneDeployments --path project_id=...',
  ],
  arguments: {
    operation: {
      about: 'the name of the operation',
      completes: async () => Object.entries(places).map(([value, about]) => ({ value, about })),
    },
  },
  options: {
    path: { about: 'a path parameter', value: 'NAME=VALUE', many: true, parse: assignment },
    query: { about: 'a query parameter', value: 'NAME=VALUE', many: true, parse: assignment },
  },
  async run(shell, given) {
    const { out, input } = shell;
    const name = Object.keys(places).find((each) => each === given.operation) as 'getRunLog' | undefined;
    if (name === undefined)
      throw new UsageError(
        `The API has no operation ${given.operation}.${suggestion(given.operation, Object.keys(places))} See /api/docs.`,
      );
    const [method = '', place = ''] = places[name].split(' ');
    const path = Object.fromEntries(given.path);
    const missing = [...place.matchAll(/\{(\w+)\}/g)].find(([, part = '']) => path[part] === undefined);
    if (missing !== undefined) throw new UsageError(`Give its ${missing[1]} too: --path ${missing[1]}=...`);
    const sent = ['POST', 'PUT', 'PATCH'].includes(method) && !input.isTTY ? await text(input) : '';
    const asked = {
      path,
      query: Object.fromEntries(given.query),
      ...(sent.trim() === '' ? {} : { body: parsed(sent) }),
    };
    const { body } = await shell.client().open(name, asked as never);
    if (body === null) return;
    // In a terminal it is said, not handed on as it is: a log may hold what terminals act on.
    if (out.isTerminal) return out.say(await new Response(body).text());
    for await (const bytes of body as AsyncIterable<Uint8Array>) await out.write(bytes);
  },
});

function parsed(given: string): unknown {
  try {
    return JSON.parse(given) as unknown;
  } catch {
    throw new UsageError('What came on stdin is not JSON.');
  }
}
