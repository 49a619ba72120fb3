import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackage } from '../../scripts/setup/debian-package.ts';
import { until } from '../support/until.ts';

/** A real nginx with this `server` block, in the foreground and with all its files in a folder of its own. */
export async function startNginx(server: string): Promise<{ close(): Promise<void> }> {
  ensurePackage('nginx-light', () => spawnSync('nginx', ['-v']).status === 0);
  const folder = await mkdtemp(join(tmpdir(), 'dctl-nginx-'));
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const settings = [
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'daemon off; worker_processes 1; pid nginx.pid; error_log stderr warn;',
    'events {}',
    'http {',
    'access_log off;',
    ...temporary.map((name) => `${name}_temp_path ${join(folder, name)};`),
    server,
    '}',
  ];
  const file = join(folder, 'nginx.conf');
  await writeFile(file, settings.join('\n'));
  const child = spawn('nginx', ['-p', folder, '-e', 'stderr', '-c', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const started = await until(
    'nginx listens',
    () => ({
      isOver: child.exitCode !== null,
      isUp: spawnSync('test', ['-s', join(folder, 'nginx.pid')]).status === 0,
    }),
    ({ isOver, isUp }) => isOver || isUp,
  );
  if (started.isOver) {
    await close();
    throw new Error(`nginx ended with ${child.exitCode}: ${complaints}`);
  }
  return { close };
}
