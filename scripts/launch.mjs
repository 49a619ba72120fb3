// What every `npm` command runs first: it makes sure of Node 24, the dependencies, the generated database
// client and the build, then hands over to the command's own script. A step that is up to date costs
// milliseconds. Plain JavaScript with nothing but built-ins, because an older Node has to be able to run it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const home = join(root, '.dctl');
const nodeVersion = '24.21.0';
const commands = {
  start: { script: 'scripts/start.ts', needsBuild: true },
  test: { script: 'scripts/test.ts', needsBuild: true },
  check: { script: 'scripts/check.ts', needsBuild: false },
  bench: { script: 'bench/run.ts', needsBuild: true },
  soak: { script: 'scripts/soak.ts', needsBuild: true },
  operate: { script: 'scripts/operate.ts', needsBuild: true },
  docs: { script: 'scripts/docs.ts', needsBuild: false },
  'sqlmesh-image': { script: 'scripts/sqlmesh-image.ts', needsBuild: false },
  build: { script: undefined, needsBuild: true },
};

process.chdir(root);
try {
  process.exitCode = await launch(process.argv[2] ?? '', process.argv.slice(3));
} catch (error) {
  console.error(`\n${error instanceof Error && !error.expected ? error.stack : error.message}`);
  process.exitCode = 1;
}

async function launch(name, args) {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw sentence(`Say what to run: ${Object.keys(commands).join(', ')}.`);

  mkdirSync(home, { recursive: true, mode: 0o700 });
  const release = await takeTurn(join(home, 'setup.lock'));
  let node;
  try {
    node = await ensureNode();
    await ensureDependencies(node);
    await ensureDatabaseClient(node);
    if (command.needsBuild) await ensureBuild(node);
  } finally {
    release();
  }
  return command.script ? handOver(node, [command.script, ...args]) : 0;
}

/** Two commands started at once in one clone set it up one after the other. */
async function takeTurn(lock) {
  for (let told = false; ;) {
    const own = `${lock}.${process.pid}`;
    try {
      // Linked into place, so that nobody ever reads a lock without its number.
      writeFileSync(own, String(process.pid));
      linkSync(own, lock);
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    } finally {
      rmSync(own, { force: true });
    }
    const held = readIfThere(lock);
    const holder = Number(held);
    if (!isLauncher(holder)) {
      dropStaleLock(lock, held);
      continue;
    }
    if (!told) console.log(`Process ${holder} is setting up this folder: waiting for it.`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Takes the lock aside before it looks again: another launcher may have put a fresh one there meanwhile. */
function dropStaleLock(lock, held) {
  const aside = `${lock}.${process.pid}.stale`;
  try {
    renameSync(lock, aside);
    if (readIfThere(aside) !== held) linkSync(aside, lock);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes(error.code)) throw error;
  }
  rmSync(aside, { force: true });
}

/** A number left by a killed launcher may belong to another process by now. */
function isLauncher(pid) {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== 'EPERM') return false;
  }
  return !existsSync('/proc/self') || readIfThere(`/proc/${pid}/cmdline`).includes('launch.mjs');
}

async function ensureNode() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;

  const name = `node-linux-${process.arch}`;
  const folder = join(home, 'node');
  const binary = join(folder, 'node_modules', name, 'bin', 'node');
  const stamp = join(folder, 'version');
  if (readIfThere(stamp) === nodeVersion && existsSync(binary)) return binary;
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw sentence(`Install Node 24 or newer (this is ${process.versions.node}) and start again.`);
  }

  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await step(`Node ${nodeVersion}`, () =>
    npm(process.execPath, [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--ignore-scripts',
      `${name}@${nodeVersion}`,
    ]),
  );
  writeFileSync(stamp, nodeVersion);
  return binary;
}

/**
 * No package's install script runs: none is needed (the set-up links the shared libraries of Postgres itself),
 * and several would compile or download for nothing. The stamp lives in node_modules so that it goes with it,
 * and is written last, so that an interrupted install is done again.
 */
async function ensureDependencies(node) {
  const stamp = 'node_modules/.dctl-installed';
  const digest = digestOf([readFileSync('package-lock.json')]);
  if (readIfThere(stamp) === digest) return;
  rmSync(stamp, { force: true });
  await step('Dependencies', () => npm(node, ['ci', '--ignore-scripts']));
  writeFileSync(stamp, digest);
}

async function ensureDatabaseClient(node) {
  const schema = 'prisma/schema.prisma';
  if (!existsSync(schema)) return;
  const stamp = 'src/generated/prisma/.generated-from';
  const digest = digestOf([readFileSync(schema), readFileSync('node_modules/prisma/package.json')]);
  if (readIfThere(stamp) === digest) return;
  rmSync(stamp, { force: true });
  await step('Database client', () => run(node, ['node_modules/prisma/build/index.js', 'generate']));
  writeFileSync(stamp, digest);
}

async function ensureBuild(node) {
  const stamp = 'dist/.built-from';
  const digest = digestOf([
    ...describeFiles(['src', 'worker', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']),
    ...describeFiles(['client', 'cli', 'console']),
  ]);
  if (readIfThere(stamp) === digest) return;
  // Old output first: a module that was renamed must not stay loadable.
  for (const stale of [stamp, ...['src', 'worker', 'client', 'cli', 'console'].map((each) => `dist/${each}`)])
    rmSync(stale, { recursive: true, force: true });
  await step('Build', async () => {
    await run(node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
    // Once more with its types, for those who import it.
    await run(node, ['node_modules/typescript/bin/tsc', '-p', 'client/tsconfig.build.json']);
    await run(node, ['node_modules/vite/bin/vite.js', 'build', '-c', 'console/vite.config.ts']);
  });
  writeFileSync(stamp, digest);
}

function* describeFiles(paths) {
  for (const path of paths) {
    const about = statSync(path, { throwIfNoEntry: false });
    if (about?.isDirectory())
      yield* describeFiles(
        readdirSync(path)
          .sort()
          .map((name) => join(path, name)),
      );
    else if (about && !basename(path).startsWith('.')) yield `${path} ${about.size} ${about.mtimeMs}\n`;
  }
}

function digestOf(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** npm itself runs with the Node it is asked to install for, or it would warn about every package's `engines`. */
function npm(node, args) {
  const settings = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  const cli = process.env.npm_execpath ?? '';
  if (basename(cli) === 'npm-cli.js') return run(node, [cli, ...args, ...settings]);
  return run('npm', [...args, ...settings], node);
}

/** Runs a command quietly; shows what it wrote only when it fails. */
function run(program, args, node = program) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: environmentFor(node), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => reject(sentence(`${program} could not be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      const shown = output.trim().split('\n').slice(-25).join('\n');
      reject(sentence(`${shown}\n(${signal ?? `exit code ${code}`})`));
    });
  });
}

async function step(name, work) {
  const startedAt = Date.now();
  if (process.stdout.isTTY) process.stdout.write(`  … ${name}`);
  else console.log(`${name} ...`);
  try {
    await work();
  } catch (error) {
    throw sentence(`${error.message}\n\n${name}: failed, the reason is above.`);
  } finally {
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
  }
  const duration = `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  console.log(
    process.stdout.isTTY
      ? `  \x1b[32m✓\x1b[0m ${name} \x1b[2m${duration}\x1b[0m`
      : `${name}: done, ${duration}`,
  );
}

/**
 * Runs the command's script as the leader of its own process group, so that Ctrl-C reaches it only through us:
 * the terminal signals this process, and npm signals it once more, a moment later. Those count as one. The
 * channel between the two ends when this process dies by any means, and the script then stops by itself.
 */
function handOver(node, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, {
      env: environmentFor(node),
      detached: true,
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    });
    let lastSignalAt = 0;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.on(signal, () => {
        const now = Date.now();
        if (now - lastSignalAt > 300) child.kill(signal);
        lastSignalAt = now;
      });
    }
    // On SIGTERM npm ends the shell between us and goes: nobody else tells us.
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (!process.env.npm_lifecycle_event || process.ppid === parent) return;
      clearInterval(watch);
      child.kill('SIGTERM');
    }, 500);
    child.on('error', (error) => reject(sentence(`${node} could not be started: ${error.message}.`)));
    child.on('exit', (code, signal) => {
      clearInterval(watch);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

function environmentFor(node) {
  const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  return { ...process.env, PATH: path };
}

/** An error whose message is all that the reader needs. */
function sentence(message) {
  return Object.assign(new Error(message), { expected: true });
}
