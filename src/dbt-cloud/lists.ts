import { envelopeOfList, type Page } from './envelope.ts';

/** Which part of a list is wanted, and in which order. */
export interface ListPage<Field extends string = string> {
  limit: number;
  offset: number;
  field: Field;
  isDescending: boolean;
}

interface Asked<Field extends string> {
  limit: number;
  offset: number;
  order_by: { field: Field; isDescending: boolean; text: string };
}

/** Of a query of `schema.ts`. */
export function pageOf<Field extends string>({ limit, offset, order_by: order }: Asked<Field>) {
  const page: ListPage<Field> = { limit, offset, field: order.field, isDescending: order.isDescending };
  return page;
}

/** The answer to it. */
export function listed<Item>(
  items: Item[],
  { limit, offset, order_by: order }: Asked<string>,
  total: number,
) {
  const page: Page = { limit, offset, order_by: order.text };
  return envelopeOfList(items, page, total);
}

/** What both of two filters name, where both are given: `project_id=1` and `project_id__in=[1, 2]`. */
export function both<Value>(one: Value[] | undefined, other: Value[] | undefined): Value[] | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.filter((each) => other.includes(each));
}
