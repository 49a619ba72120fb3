import type { System } from './system.ts';

/** Throws when the API has ended, or has logged that a request failed in a way nobody expected. */
export function expectNoErrors({ api }: System): void {
  const errors = api.lines.filter(({ level }) => level === 'error');
  if (errors.length > 0) throw new Error(`the API logged errors: ${JSON.stringify(errors).slice(0, 2_000)}`);
  if (api.child.exitCode !== null) throw new Error(`the API ended with ${api.child.exitCode}`);
}
