import { useState } from 'react';

/** A thing while its form is filled in. */
export interface Draft<Thing> {
  /** As it is, with what was changed. */
  value: Thing;
  /** What was changed, alone. */
  change: Partial<Thing>;
  isChanged: boolean;
  set(change: Partial<Thing>): void;
  reset(): void;
}

/** What somebody changes stays theirs while the thing itself comes anew from the server. */
export function useDraft<Thing extends object>(thing: Thing): Draft<Thing> {
  const [change, setChange] = useState<Partial<Thing>>({});
  return {
    value: { ...thing, ...change },
    change,
    isChanged: Object.keys(change).length > 0,
    set: (more) => setChange((before) => ({ ...before, ...more })),
    reset: () => setChange({}),
  };
}
