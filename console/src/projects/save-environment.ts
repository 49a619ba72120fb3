import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Asked } from '../../../client/client.ts';
import type { Environment } from '../../../client/operations.ts';
import { api } from '../api.ts';

export const pathOf = (environment: Environment) => ({
  project_id: environment.project_id,
  environment_id: environment.id,
});

/** Changes an environment; `onSaved` once it is shown as it is now. */
export function useSaveEnvironment(environment: Environment, onSaved: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Asked<'changeEnvironment'>['body']) =>
      api().call('changeEnvironment', { path: pathOf(environment), body }),
    onSuccess: async (saved) => {
      queries.setQueryData(['environment', environment.id], saved);
      onSaved();
      await queries.invalidateQueries({ queryKey: ['environments', environment.project_id] });
    },
  });
}
