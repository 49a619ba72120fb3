import { useLayoutEffect, useRef, useState } from 'react';
import { DctlError } from '../../../client/client.ts';
import { Problem } from './problem.tsx';

/**
 * Why a form was refused, as far as none of its fields says it: what is wrong is said once, at its field, and the first
 * of those is focused.
 */
export function FormProblem({ error }: { error: unknown }) {
  const place = useRef<HTMLDivElement>(null);
  const [said, setSaid] = useState<string[]>([]);
  useLayoutEffect(() => {
    const form = place.current!.closest('form');
    const problems = form?.querySelectorAll('.field-problem') ?? [];
    setSaid(Array.from(problems, ({ textContent }) => textContent));
    form?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [error]);
  const rest = unsaid(error, said);
  return (
    <div ref={place} hidden={rest === null}>
      {rest !== null && <Problem error={rest} />}
    </div>
  );
}

/** What is left of an error without what was said already; null when that is all of it. */
function unsaid(error: unknown, said: string[]): unknown {
  const isSaid = (text: string) => said.some((each) => each.includes(text));
  if (!(error instanceof DctlError)) return error;
  if (error.problems.length === 0) return isSaid(error.message) ? null : error;
  const left = error.problems.filter(({ detail }) => !isSaid(detail));
  if (left.length === error.problems.length) return error;
  const [first] = left;
  return first === undefined
    ? null
    : new DctlError(error.status, { detail: `${first.pointer}: ${first.detail}`, errors: left });
}
