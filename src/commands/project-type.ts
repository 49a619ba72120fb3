/** What a project is written for, and so the program its commands begin with. */
export const projectTypes = ['dbt', 'sqlmesh'] as const;
export type ProjectType = (typeof projectTypes)[number];

/** Of a stored project. */
export function projectTypeOf(stored: string): ProjectType {
  const type = projectTypes.find((each) => each === stored);
  if (type === undefined) throw new Error(`a project is of a type this server does not know: ${stored}`);
  return type;
}
