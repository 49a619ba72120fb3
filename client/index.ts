export { DctlClient, DctlError, itemsOf } from './client.ts';
export type { Answer, Asked, CallOptions, ClientSettings, FieldProblem } from './client.ts';
export type * from './operations.ts';
