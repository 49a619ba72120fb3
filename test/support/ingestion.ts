import { createServer } from 'node:http';
import { listen } from './receiver.ts';
import { call, type Answer } from './system.ts';

/** A load of one table that has come to its end. */
export interface Load {
  table: string;
  executionId: string;
  status?: 'FINISHED' | 'FAILED';
  rows: number;
  /** A table that was made of another one's nested records. */
  isNested?: boolean;
}

/** As it is written for Erathos. */
export interface LoadWebhook {
  method: string;
  url: string;
  header: Record<string, string>;
  body: unknown;
  rules: { variable_name: string; operation: string; value: string }[];
}

/** In the place of an ingestion tool: it calls others when a load has ended, and takes calls to load once more. */
export interface Ingestion {
  url: string;
  /** Ids of its jobs that it was asked to run, by those who sent the right key. */
  asked: string[];
  /** What the receiver of each webhook answered whose rules hold. */
  finish(load: Load): Promise<Answer[]>;
  close(): Promise<void>;
}

export async function startIngestion(own: {
  key: string;
  variables: Record<string, string>;
  secrets: Record<string, string>;
  webhooks: LoadWebhook[];
}): Promise<Ingestion> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const [, job] = /^\/jobs\/([\w-]+)\/run\/?$/.exec(request.url ?? '') ?? [];
    const isRight = request.method === 'POST' && request.headers.authorization === `Api-Key ${own.key}`;
    if (isRight && job !== undefined) asked.push(job);
    response.writeHead(isRight && job !== undefined ? 202 : 403).end();
  });
  const { port, close } = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close,
    async finish(load) {
      const scopes = { variables: own.variables, secrets: own.secrets, erathos: valuesOf(load) };
      const wanted = own.webhooks.filter(({ rules }) => rules.every((rule) => holds(rule, scopes.erathos)));
      return Promise.all(
        wanted.map((webhook) => {
          const { method, url, header, body } = rendered(webhook, scopes);
          return call(url, method, Buffer.from(JSON.stringify(body)), header);
        }),
      );
    },
  };
}

function valuesOf({ table, executionId, status, rows, isNested }: Load): Record<string, string> {
  return {
    TABLE_NAME: table,
    EXECUTION_ID: executionId,
    ROWS: String(rows),
    STATUS: status ?? 'FINISHED',
    NESTED_TABLE: String(isNested ?? false),
  };
}

function holds({ variable_name, operation, value }: LoadWebhook['rules'][number], values: object): boolean {
  const actual = (values as Record<string, string>)[variable_name];
  if (operation === 'EQUAL') return actual === value;
  if (operation === 'GREATER_THAN') return Number(actual) > Number(value);
  throw new Error(`this ingestion tool knows no ${operation}`);
}

function rendered<Part>(part: Part, scopes: Record<string, Record<string, string>>): Part {
  const text = JSON.stringify(part).replace(/\$\{\{(\w+)\.(\w+)\}\}/g, (all, scope: string, name: string) => {
    const value = scopes[scope]?.[name];
    if (value === undefined) throw new Error(`this ingestion tool knows no ${all}`);
    return JSON.stringify(value).slice(1, -1);
  });
  return JSON.parse(text) as Part;
}
