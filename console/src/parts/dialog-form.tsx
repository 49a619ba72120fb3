import type { FormEvent, ReactNode } from 'react';
import { Dialog } from './dialog.tsx';
import { FormProblem } from './form-problem.tsx';

/** Fields in a dialog and the button that does something with them. What the server refuses is said at its field, or below them. */
export function DialogForm({
  title,
  action,
  mutation,
  onClose,
  children,
}: {
  title: string;
  /** What the button says. */
  action: string;
  mutation: { mutate(): void; isPending: boolean; isError: boolean; error: unknown };
  onClose: () => void;
  children: ReactNode;
}) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    mutation.mutate();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        {mutation.isError && <FormProblem error={mutation.error} />}
        <div className="actions">
          <button type="submit" className="primary" disabled={mutation.isPending}>
            {action}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
