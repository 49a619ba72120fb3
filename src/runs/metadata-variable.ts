/** The environment variable that an entry of a trigger's metadata is in a run. */
export function metadataVariable(name: string): string {
  return `DCTL_METADATA_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

/** The first two of the names that would be one variable; null when there are none. */
export function sameVariable(names: string[]): { first: string; second: string } | null {
  const found = new Map<string, string>();
  for (const name of names) {
    const variable = metadataVariable(name);
    const first = found.get(variable);
    if (first !== undefined) return { first, second: name };
    found.set(variable, name);
  }
  return null;
}
