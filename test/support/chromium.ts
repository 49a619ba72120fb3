import { existsSync } from 'node:fs';
import { ensurePackage } from '../../scripts/setup/debian-package.ts';

/** Where Debian's Chromium is, which is installed where it is missing. DCTL_TEST_CHROMIUM names another. */
export function ensureChromium(): string {
  const path = process.env['DCTL_TEST_CHROMIUM'] ?? '/usr/bin/chromium';
  ensurePackage('chromium', () => existsSync(path));
  return path;
}
