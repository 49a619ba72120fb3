import { globSync } from 'node:fs';
import { ensurePackage } from '../../scripts/setup/debian-package.ts';

const findLibrary = () => globSync('/usr/lib/{*,*/*}/libfaketimeMT.so.1')[0];

/**
 * What a process is started with whose clock goes wrong, by `offset` (such as `+10m`) or by what stands in `file`,
 * whenever that changes. How much time passes it is told right, as where only the date is set. Installs libfaketime.
 */
export function otherClock(clock: { offset: string } | { file: string }): Record<string, string> {
  ensurePackage('faketime', () => findLibrary() !== undefined);
  return {
    LD_PRELOAD: findLibrary()!,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    ...('offset' in clock
      ? { FAKETIME: clock.offset }
      : { FAKETIME_TIMESTAMP_FILE: clock.file, FAKETIME_NO_CACHE: '1' }),
  };
}
