/** Asked every few seconds, for ever: neither logged as requests nor limited. */
const probes = new Set(['/livez', '/readyz', '/metrics']);

export function isProbe(path: string): boolean {
  return probes.has(path);
}
