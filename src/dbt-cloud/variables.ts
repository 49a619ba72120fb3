import type { Context, Principal } from '../context.ts';
import { AppError } from '../errors.ts';
import { getProject } from './projects.ts';

/** Variables belong to an environment here, and are set in our own API. */
export async function refuseVariable(
  context: Context,
  principal: Principal,
  where: { account_id: number; project_id: number },
): Promise<never> {
  await getProject(context, principal, where);
  throw new AppError(
    'invalid_request',
    "Jobs have no variables of their own: set it on the job's environment (PATCH /api/v1/projects/{project_id}/environments/{environment_id} with env_vars, or PUT .../secrets/{name}).",
  );
}
