/** What `$?` is afterwards: what a script or a CI job decides by. */
export const exitCodes = { success: 0, failed: 1, error: 2, usage: 3, interrupted: 130 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
