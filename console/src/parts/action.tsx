import { useMutation } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { Dialog } from './dialog.tsx';
import { Problem } from './problem.tsx';

interface Does {
  /** What stands on the button. */
  name: string;
  /** What it does it to, for whoever hears the button's name alone. */
  about?: string;
  className?: string;
  disabled?: boolean;
  run: () => Promise<unknown>;
}

/** A button that does something at once, and says beside it why it was refused. */
export function Action({ name, about, className, disabled = false, run }: Does) {
  const action = useMutation({ mutationFn: run });
  return (
    <>
      <button
        type="button"
        className={className}
        disabled={disabled || action.isPending}
        aria-label={labelOf(name, about)}
        onClick={() => action.mutate()}
      >
        {name}
      </button>
      {action.isError && <Problem error={action.error} />}
    </>
  );
}

/** A button that asks before it does something that is not easily undone. */
export function ConfirmedAction({
  name,
  about,
  className = 'danger',
  disabled = false,
  run,
  question,
  children,
}: Does & { question: string; children?: ReactNode }) {
  const [isAsking, setAsking] = useState(false);
  const action = useMutation({ mutationFn: run, onSuccess: () => setAsking(false) });
  const close = () => {
    setAsking(false);
    action.reset();
  };
  return (
    <>
      <button
        type="button"
        // What is asked about first stands out in its dialog only.
        className={className === 'primary' ? undefined : className}
        disabled={disabled}
        aria-label={labelOf(name, about)}
        onClick={() => setAsking(true)}
      >
        {name}
      </button>
      {isAsking && (
        <Dialog title={question} onClose={close}>
          {children}
          {action.isError && <Problem error={action.error} />}
          <div className="actions dialog-actions">
            <button
              type="button"
              className={className}
              disabled={action.isPending}
              onClick={() => action.mutate()}
            >
              {name}
            </button>
            <button type="button" onClick={close}>
              Cancel
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

const labelOf = (name: string, about: string | undefined) =>
  about === undefined ? undefined : `${name}: ${about}`;
