import { z } from 'zod';
import type { Dialect, Problem } from '../http/problem.ts';

/** What every answer of the dbt Cloud API says of itself. */
const answerStatus = z.object({
  code: z.number().int(),
  is_success: z.boolean(),
  user_message: z.string(),
  developer_message: z.string(),
});

type AnswerStatus = z.input<typeof answerStatus>;

const success: AnswerStatus = {
  code: 200,
  is_success: true,
  user_message: 'Success!',
  developer_message: '',
};

export const enveloped = <Data extends z.ZodType>(data: Data) => z.object({ status: answerStatus, data });

/** `message`: what was done, where that is not what the address says. */
export function envelope<Data>(
  data: Data,
  message = success.user_message,
): { status: AnswerStatus; data: Data } {
  return { status: { ...success, user_message: message }, data };
}

export const envelopedList = <Item extends z.ZodType>(item: Item) =>
  enveloped(z.array(item)).extend({
    extra: z.object({
      filters: z.object({ limit: z.number().int(), offset: z.number().int() }),
      order_by: z.string(),
      pagination: z.object({
        count: z.number().int().meta({ description: 'On this page' }),
        total_count: z.number().int(),
      }),
    }),
  });

export interface Page {
  limit: number;
  offset: number;
  order_by: string;
}

/** `total`: how many there are beside those on this page, these included. */
export function envelopeOfList<Item>(data: Item[], { limit, offset, order_by }: Page, total: number) {
  // A client that adds the counts up to the total it was told with the first page would ask for ever, had there become
  // fewer meanwhile: a page beyond the end counts all before it.
  const count = data.length === 0 ? offset : data.length;
  return {
    ...envelope(data),
    extra: { filters: { limit, offset }, order_by, pagination: { count, total_count: total } },
  };
}

/** A client that meets an error looks for a sentence in an object `status`, whatever the address was. */
function envelopeOfProblem({ status: code, title, detail, errors = [] }: Problem) {
  const where = errors.map(({ pointer }) => pointer).join(', ');
  const status: AnswerStatus = {
    code,
    is_success: false,
    user_message: detail,
    developer_message: where === '' ? title : `${title}: ${where}`,
  };
  return { status, data: null };
}

export const dbtCloudDialects: Dialect[] = ['/api/v2', '/api/v3'].map((below) => ({
  below,
  bodyOf: envelopeOfProblem,
  schema: enveloped(z.null()),
}));
