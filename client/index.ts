export { DctlClient, DctlError, itemsOf } from './client.ts';
export type { Answer, Asked, CallOptions, ClientSettings, FieldProblem } from './client.ts';
export { followLog } from './follow-log.ts';
export { verifyWebhook, type Verdict } from './verify-webhook.ts';
export { isFinal, watchRun } from './watch-run.ts';
export type * from './operations.ts';
