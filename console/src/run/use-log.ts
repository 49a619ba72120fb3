import { useSyncExternalStore } from 'react';
import { chosenOrganization } from '../api.ts';
import { RunLog } from './run-log.ts';

/** The logs that were looked at last: a page of one run shows its log in several places. */
const open = new Map<string, RunLog>();
const kept = 4;

export function useLog(runId: string, step?: number): RunLog {
  const log = logOf(runId, step);
  useSyncExternalStore(log.subscribe, log.getVersion);
  return log;
}

function logOf(runId: string, step: number | undefined): RunLog {
  const key = `${chosenOrganization()} ${runId} ${step}`;
  const log = open.get(key) ?? new RunLog(runId, step);
  // At the end stands what was looked at last.
  open.delete(key);
  open.set(key, log);
  for (const old of [...open.keys()].slice(0, -kept)) open.delete(old);
  return log;
}
