import type { UseMutationResult } from '@tanstack/react-query';
import { FormProblem } from './form-problem.tsx';

/** The end of a form: why it was refused, the button that saves it, the one that gives it up. */
export function Save({
  saving,
  isChanged,
  reset,
  name = 'Save',
}: {
  saving: Pick<UseMutationResult<unknown, Error, never>, 'isPending' | 'isSuccess' | 'isError' | 'error'>;
  isChanged: boolean;
  reset?: () => void;
  name?: string;
}) {
  return (
    <>
      {saving.isError && <FormProblem error={saving.error} />}
      <div className="actions">
        <button type="submit" className="primary" disabled={!isChanged || saving.isPending}>
          {name}
        </button>
        {isChanged && reset !== undefined && (
          <button type="button" onClick={reset}>
            Discard changes
          </button>
        )}
        <span role="status" className="quiet">
          {saving.isSuccess && !isChanged ? 'Saved.' : ''}
        </span>
      </div>
    </>
  );
}
