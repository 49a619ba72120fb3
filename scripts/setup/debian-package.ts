import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

const policyFile = '/usr/sbin/policy-rc.d';

/**
 * Installs a package where it is missing: on Debian and Ubuntu, as root; elsewhere it says what to install. No service
 * of the machine is started by it.
 */
export function ensurePackage(name: string, isInstalled: () => boolean): void {
  if (isInstalled()) return;
  if (process.getuid?.() !== 0) throw new Error(`Install ${name}, then try again: it is needed here.`);
  const hasPolicy = existsSync(policyFile);
  if (!hasPolicy) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    aptGet('update', '-q');
    aptGet('install', '-q', '-y', '--no-install-recommends', name);
  } finally {
    if (!hasPolicy) rmSync(policyFile, { force: true });
  }
  if (!isInstalled())
    throw new Error(`${name} could not be installed with apt-get: install it, then try again.`);
}

function aptGet(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
    env,
    stdio: 'ignore',
    timeout: 300_000,
  });
}
