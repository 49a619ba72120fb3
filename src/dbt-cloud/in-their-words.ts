import { AppError } from '../errors.ts';

/** Our fields of a job, and what dbt Cloud calls them. The others have the same name in both. */
const theirNames: [ours: RegExp, theirs: string][] = [
  [/^\/commands?\b/, '/execute_steps'],
  [/^\/run_after\/\d+\/job_id$/, '/job_completion_trigger_condition/condition/job_id'],
  [/^\/run_after\/\d+\/statuses\b/, '/job_completion_trigger_condition/condition/statuses'],
  [/^\/run_after\b.*/, '/job_completion_trigger_condition'],
  [/^\/threads$/, '/settings/threads'],
  [/^\/target$/, '/settings/target_name'],
  [/^\/timeout_seconds$/, '/execution/timeout_seconds'],
  [/^\/generate_sources$/, '/run_generate_sources'],
  [/^\/enabled$/, '/deactivated'],
];

/** What our own operation refuses is named as the caller has named it, in the sentence as well. */
export async function inTheirWords<Result>(write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    const [first] = error instanceof AppError ? error.problems : [];
    if (!(error instanceof AppError) || first === undefined) throw error;
    const problems = error.problems.map((problem) => ({
      ...problem,
      pointer: theirPointer(problem.pointer),
    }));
    throw new AppError(error.code, named(first.pointer, error.message), { problems, cause: error });
  }
}

function theirPointer(pointer: string): string {
  const [ours, theirs] = theirNames.find(([each]) => each.test(pointer)) ?? [/$^/, ''];
  return pointer.replace(ours, theirs);
}

/** The sentence with their field before it, unless it has begun with that. */
function named(pointer: string, sentence: string): string {
  const [ours, theirs] = [pointer, theirPointer(pointer)].map((each) => each.slice(1).replaceAll('/', '.'));
  if (sentence.startsWith(`${theirs} `) || sentence.startsWith(`${theirs}:`)) return sentence;
  return sentence.startsWith(`${ours} `)
    ? `${theirs}${sentence.slice(ours!.length)}`
    : `${theirs}: ${sentence}`;
}
