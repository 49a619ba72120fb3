import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { runCommand } from '../../scripts/setup/processes.ts';
import { ensureBaseImage, hostCertificates } from '../../scripts/setup/runner-image.ts';

const folder = join(import.meta.dirname, 'stand-ins');
const pullLimitMs = 5 * 60_000;
const buildLimitMs = 5 * 60_000;

/** The image itself where this machine has it or can pull it, else one that was made here and does the same. */
export async function imageOrStandIn(image: string, kind: 'node' | 'services'): Promise<string> {
  if (isThere(image) || (await canBePulled(image))) return image;
  const base = await ensureBaseImage({ log: (line) => process.stderr.write(`${line}\n`) });
  return kind === 'node' ? buildNode(base) : buildServices(base);
}

async function buildNode(base: string): Promise<string> {
  const npm = await npmFolder();
  const { version } = JSON.parse(await readFile(join(npm, 'package.json'), 'utf8')) as { version: string };
  return build('node', base, [process.version, version], async (context) => {
    await copyFile(process.execPath, join(context, 'node'));
    await cp(npm, join(context, 'npm'), { recursive: true, dereference: true });
  });
}

async function buildServices(base: string): Promise<string> {
  const serve = await readFile(join(folder, 'serve.sh'), 'utf8');
  return build('services', base, [serve], async (context) => {
    await copyFile(join(folder, 'serve.sh'), join(context, 'serve.sh'));
    await writeCertificates(join(context, 'certs'));
  });
}

/** Puts what this host trusts beyond the public authorities into a folder, as the Dockerfiles expect it. */
export async function writeCertificates(certificates: string): Promise<void> {
  await mkdir(certificates, { recursive: true });
  for (const [index, pem] of (await hostCertificates()).entries())
    await writeFile(join(certificates, `${index}.crt`), pem);
}

async function build(
  kind: string,
  base: string,
  inputs: string[],
  fill: (context: string) => Promise<void>,
): Promise<string> {
  const dockerfile = await readFile(join(folder, `${kind}.Dockerfile`), 'utf8');
  const digest = createHash('sha256')
    .update(JSON.stringify([dockerfile, base, inputs]))
    .digest('hex');
  const tag = `dctl-test-${kind}:${digest.slice(0, 12)}`;
  if (isThere(tag)) return tag;

  const context = await mkdtemp(join(tmpdir(), 'dctl-stand-in-'));
  try {
    await writeFile(join(context, 'Dockerfile'), dockerfile);
    await fill(context);
    const args = ['build', '--tag', tag, '--build-arg', `BASE_IMAGE=${base}`, ...proxyArguments(), context];
    await runCommand('docker', args, { timeoutMs: buildLimitMs });
    return tag;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** Docker knows these names, and keeps their values out of the image's history. */
export function proxyArguments(): string[] {
  return ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy']
    .filter((name) => process.env[name] !== undefined)
    .flatMap((name) => ['--build-arg', `${name}=${process.env[name]}`]);
}

function isThere(image: string): boolean {
  return spawnSync('docker', ['image', 'inspect', image], { stdio: 'ignore' }).status === 0;
}

async function canBePulled(image: string): Promise<boolean> {
  return runCommand('docker', ['pull', '--quiet', image], { timeoutMs: pullLimitMs }).then(
    () => true,
    () => false,
  );
}

/** Where the npm lies that comes with this machine's Node. */
async function npmFolder(): Promise<string> {
  const cli = process.env['npm_execpath'] ?? '';
  if (basename(cli) === 'npm-cli.js') return dirname(dirname(cli));
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const found = await realpath(join(folder, 'npm')).catch(() => '');
    if (basename(found) === 'npm-cli.js') return dirname(dirname(found));
  }
  throw new Error('npm is not on the PATH');
}
