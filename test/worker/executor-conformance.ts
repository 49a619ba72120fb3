import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { extract, pack } from 'tar-stream';
import {
  CouldNotStart,
  environmentLabel,
  installationLabel,
  runLabel,
  warmLabel,
  type ContainerSpec,
  type Executor,
  type Output,
} from '../../worker/executors/executor.ts';
import { until } from '../support/until.ts';

export interface ExecutorUnderTest {
  executor: Executor;
  /** An image the executor has, with python3. */
  image: string;
  network: string;
  /** Ends what the suite cannot name: the volume at `/data`. */
  close(dataVolume: string): Promise<void>;
}

/** What every executor promises the worker, whatever runs the containers. */
export function executorConformance(open: () => Promise<ExecutorUnderTest>): void {
  const suite = randomBytes(4).toString('hex');
  const dataVolume = { name: `dctl-data-test-${suite}`, labels: { 'dctl.test': suite } };
  const names: string[] = [];
  const forever = new AbortController().signal;
  let under: ExecutorUnderTest;
  let executor: Executor;

  beforeAll(async () => {
    under = await open();
    executor = under.executor;
    await executor.prepare();
    await executor.prepare();
  });
  afterAll(async () => {
    for (const name of names) await executor.remove(name);
    await under.close(dataVolume.name);
  });

  /** A container of its own that is going to run the Python program. */
  function specOf(program: string, changes: Partial<ContainerSpec> = {}): ContainerSpec {
    const name = `dctl-test-${suite}-${names.length}`;
    names.push(name);
    return {
      name,
      labels: { 'dctl.test': suite },
      image: under.image,
      command: ['python3', '-u', '-c', program],
      environment: { GREETING: 'hello' },
      user: { uid: 65532, gid: 65532 },
      workFolder: '/work',
      dataVolume,
      memoryMb: 256,
      cpus: 1,
      pids: 50,
      temporaryMb: 16,
      network: under.network,
      ...changes,
    };
  }

  async function start(program: string, changes: Partial<ContainerSpec> = {}) {
    const spec = specOf(program, changes);
    const { containerId } = await executor.create(spec, filesOf({ 'given.txt': 'a file\n' }));
    return {
      name: spec.name,
      containerId,
      output: await executor.start(containerId, 'the message', forever),
    };
  }

  async function runToEnd(program: string, changes: Partial<ContainerSpec> = {}) {
    const { name, output } = await start(program, changes);
    const written = await read(output);
    return { name, ...written, end: await executor.wait(name) };
  }

  async function stateOf(name: string) {
    return (await executor.find(name))?.state;
  }

  test('the engine has a name that it keeps', async () => {
    const id = await executor.engineId();
    expect(id).toMatch(/./);
    expect(await executor.engineId()).toBe(id);
  });

  describe('a container that is created and started', () => {
    test('gets the message as a line on stdin, its files and its environment', async () => {
      const ran = await runToEnd(`
import os, sys
print(sys.stdin.readline(), open('given.txt').read(), os.environ['GREETING'], os.getuid(), os.getcwd())`);
      expect(ran.log).toBe('the message\n a file\n hello 65532 /work\n');
      expect(ran.end).toEqual({ exitCode: 0, outOfMemory: false });
    });

    test('has its stdout as the log and its stderr as the protocol', async () => {
      const ran = await runToEnd(`import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)`);
      expect(ran).toMatchObject({
        log: 'out\n',
        protocol: 'err\n',
        end: { exitCode: 3, outOfMemory: false },
      });
    });

    test('gets its words byte for byte, past any shell', async () => {
      const words = ['$(id)', '`id`', "it's", '"', '*', 'ü ✓', '', '; exit 7'];
      const program = `import sys, json; print(json.dumps(sys.argv[1:]))`;
      const ran = await runToEnd(program, { command: ['python3', '-c', program, ...words] });
      expect(JSON.parse(ran.log)).toEqual(words);
    });

    test('runs once for its name: a second one of that name is refused and changes nothing', async () => {
      const spec = specOf(`print('first')`);
      await executor.create(spec, filesOf({}));
      const second = executor.create({ ...spec, command: ['python3', '-c', `print('second')`] }, filesOf({}));
      await expect(second).rejects.toMatchObject({ name: 'CouldNotStart', reason: 'could_not_start' });
      expect(await stateOf(spec.name)).toBe('created');
      expect((await read(await executor.start(spec.name, '', forever))).log).toBe('first\n');
    });

    test('shares the data volume with the one after it, and no other file', async () => {
      await runToEnd(`open('/data/kept', 'w').write('kept'); open('/work/gone', 'w').write('gone')`);
      const ran = await runToEnd(`import os; print(open('/data/kept').read(), os.path.exists('/work/gone'))`);
      expect(ran.log).toBe('kept False\n');
    });

    test('that takes more memory than it may is reported as out of memory', async () => {
      const ran = await runToEnd(`b = b'x' * (400 << 20)`, { memoryMb: 64 });
      expect(ran.end).toMatchObject({ outOfMemory: true });
    });
  });

  describe('a container that is opened', () => {
    const echoing = `
import os, sys
os.write(1, b'up\\n')
for line in sys.stdin.buffer: os.write(1, b'told ' + line)
sys.exit(75)`;

    async function open(labels = {}) {
      const spec = specOf(echoing, { labels: { 'dctl.test': suite, ...labels } });
      const { containerId } = await executor.create(spec, filesOf({}));
      const session = await executor.open(containerId);
      const reading = session.output[Symbol.asyncIterator]();
      const next = async () => String((await reading.next()).value?.content);
      return { name: spec.name, containerId, session, reading, next };
    }

    test('waits for each line that it is told, however late, and says what it says in between', async () => {
      const { session, next } = await open();
      expect(await next()).toBe('up\n');
      for (const line of ['one', 'two']) {
        await session.send(line);
        expect(await next()).toBe(`told ${line}\n`);
      }
      session.end();
    });

    test('ends by itself when whoever opened it is gone', async () => {
      const { containerId, session, reading, next } = await open();
      await next();
      session.end();
      await expect(reading.next()).rejects.toThrow();
      const ended = await until(
        'it has ended',
        () => executor.wait(containerId),
        (end) => end !== 'running',
      );
      expect(ended).toEqual({ exitCode: 75, outOfMemory: false });
    });

    test('is let go of like one that was started, long after it was opened', async () => {
      const { containerId, session, reading, next } = await open();
      const letGo = new AbortController();
      await next();
      await session.send('the message');
      session.endWith(letGo.signal);
      expect(await next()).toBe('told the message\n');
      const waiting = reading.next();
      letGo.abort();
      await expect(waiting).rejects.toThrow();
      expect((await read(await executor.follow(containerId, forever))).log).toBe('up\ntold the message\n');
    });

    test('whose output ends has died, and nothing it is told then does harm', async () => {
      const { containerId, session, reading, next } = await open();
      await next();
      await executor.signal(containerId, 'SIGKILL');
      expect((await reading.next()).done).toBe(true);
      await session.send('too late');
    });

    test('is listed when it was made ahead, gets another name and its share of the processors, and its memory is known', async () => {
      const { name, containerId, session, next } = await open({
        [warmLabel]: 'true',
        [installationLabel]: suite,
      });
      await next();
      const listed = async () => (await executor.listWarm()).find((each) => each.containerId === containerId);
      expect(await listed()).toMatchObject({ state: 'running', installationId: suite });
      expect(Math.abs(Date.now() - (await listed())!.createdAt.getTime())).toBeLessThan(60_000);
      const memoryBytes = await executor.memoryOf(containerId);
      expect(memoryBytes).toBeGreaterThan(1024 ** 2);
      expect(memoryBytes).toBeLessThan(256 * 1024 ** 2);
      await executor.yieldNoMore(containerId);
      await executor.rename(containerId, `${name}-renamed`);
      expect(await executor.find(`${name}-renamed`)).toMatchObject({ containerId });
      session.end();
      await executor.remove(containerId);
      expect(await listed()).toBeUndefined();
      for (const gone of [executor.rename(containerId, name), executor.yieldNoMore(containerId)]) await gone;
      expect(await executor.memoryOf(containerId)).toBeNull();
    });
  });

  describe('what cannot start', () => {
    test('without its image says so, and leaves no container', async () => {
      const spec = specOf('pass', { image: 'dctl-no-such-image:1' });
      const created = executor.create(spec, filesOf({}));
      await expect(created).rejects.toMatchObject({ name: 'CouldNotStart', reason: 'image_not_found' });
      await expect(created).rejects.toThrow('dctl-no-such-image:1');
      expect(await executor.find(spec.name)).toBeNull();
    });

    test('without having been created says so', async () => {
      await expect(executor.start('dctl-test-none', '', forever)).rejects.toBeInstanceOf(CouldNotStart);
      await expect(executor.open('dctl-test-none')).rejects.toBeInstanceOf(CouldNotStart);
    });
  });

  describe('the output', () => {
    test('as far as it has come ends although the container goes on', async () => {
      const { name, output } = await start(`import time; print('first'); print('second'); time.sleep(60)`);
      await until(
        'both lines are there',
        async () => (await read(await executor.written(name, forever))).log,
        (log) => log === 'first\nsecond\n',
      );
      await executor.remove(name);
      await read(output).catch(() => undefined);
    });

    const slow = `import time\nfor n in range(20): print('line', n); time.sleep(0.05)`;
    const lines = Array.from({ length: 20 }, (_, number) => `line ${number}\n`).join('');

    test('is followed from its beginning, while the container runs and after, by any number of followers', async () => {
      const { name, output } = await start(slow);
      const [live, during] = await Promise.all([read(output), read(await executor.follow(name, forever))]);
      const after = await read(await executor.follow(name, forever));
      expect([live.log, during.log, after.log]).toEqual([lines, lines, lines]);
    });

    test('of whoever lets go ends with an error, and the container goes on to its end', async () => {
      const letGo = new AbortController();
      const spec = specOf(slow);
      await executor.create(spec, filesOf({}));
      const output = await executor.start(spec.name, '', letGo.signal);
      const reading = read(output, () => letGo.abort());
      await expect(reading).rejects.toThrow();
      expect(await stateOf(spec.name)).toBe('running');
      expect((await read(await executor.follow(spec.name, forever))).log).toBe(lines);
      expect(await executor.wait(spec.name)).toEqual({ exitCode: 0, outOfMemory: false });
    });

    test('that nobody reads slows the container down, and nothing of it is lost', async () => {
      const megabytes = 64;
      const { name, output } = await start(`
import sys
for n in range(${megabytes}):
    sys.stdout.write(('x' * 1023 + '\\n') * 1024)
    open('/work/written', 'w').write(str(n + 1))`);
      const pieces = output[Symbol.asyncIterator]();
      const first = await pieces.next();

      let seen = -1;
      let sameFor = 0;
      const written = await until(
        'the container writes no more',
        async () => Number((await filesIn(await executor.collect(name, '/work/written')))['written'] ?? 0),
        (now) => {
          sameFor = now > 0 && now === seen ? sameFor + 1 : 0;
          seen = now;
          return sameFor === 15;
        },
      );
      expect(written).toBeLessThan(megabytes / 2);

      let bytes = first.value!.content.length;
      for (let next = await pieces.next(); !next.done; next = await pieces.next())
        bytes += next.value.content.length;
      expect(bytes).toBe(megabytes * 1024 ** 2);
      expect(await executor.wait(name)).toEqual({ exitCode: 0, outOfMemory: false });
    });
  });

  describe('a signal', () => {
    const patient = `
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: (print('interrupted'), sys.exit(5)))
print('ready')
time.sleep(60)`;

    test('SIGINT lets the program end by itself', async () => {
      const { name, output } = await start(patient);
      let isSent: Promise<boolean> | undefined;
      const { log } = await read(output, () => (isSent = executor.signal(name, 'SIGINT')));
      expect(await isSent).toBe(true);
      expect(log).toBe('ready\ninterrupted\n');
      expect(await executor.wait(name)).toEqual({ exitCode: 5, outOfMemory: false });
    });

    test('SIGKILL ends it at once, and that is no lack of memory', async () => {
      const { name, output } = await start(patient);
      await read(output, () => void executor.signal(name, 'SIGKILL'));
      expect(await executor.wait(name)).toEqual({ exitCode: 137, outOfMemory: false });
    });

    test('to a container that has not started, has ended or is not there does nothing', async () => {
      const spec = specOf('pass');
      await executor.create(spec, filesOf({}));
      expect(await executor.signal(spec.name, 'SIGINT')).toBe(false);
      expect(await stateOf(spec.name)).toBe('created');
      const { name, end } = await runToEnd('pass');
      expect(await executor.signal(name, 'SIGKILL')).toBe(false);
      expect(await executor.wait(name)).toEqual(end);
      expect(await executor.signal('dctl-test-none', 'SIGKILL')).toBe(false);
    });
  });

  describe('what is left of a container', () => {
    test("the time since its end is the engine's own", async () => {
      const { name } = await runToEnd('pass');
      const before = await executor.msSinceEnd(name);
      expect(before).toBeLessThan(30_000);
      const later = await until(
        'some time has passed',
        () => executor.msSinceEnd(name),
        (ms) => ms > before + 50,
      );
      expect(later).toBeGreaterThan(before);
    });

    test('what was not started is removed, and so is what has ended, but nothing that runs', async () => {
      const spec = specOf(`import time; print('up'); time.sleep(60)`);
      const { containerId } = await executor.create(spec, filesOf({}));
      expect(await executor.removeIdle(containerId)).toBe(true);
      expect(await executor.removeIdle(containerId)).toBe(true);
      await expect(executor.start(containerId, '', forever)).rejects.toBeInstanceOf(CouldNotStart);

      const again = await executor.create(spec, filesOf({}));
      const output = await executor.start(again.containerId, '', forever);
      expect(await executor.removeIdle(again.containerId)).toBe(false);
      expect(await executor.wait(again.containerId)).toBe('running');
      await executor.signal(again.containerId, 'SIGKILL');
      await read(output);
      await executor.wait(again.containerId);
      expect(await executor.removeIdle(again.containerId)).toBe(true);
      expect(await executor.find(spec.name)).toBeNull();
    });

    test('its end is told as often as it is asked for, and null without a container', async () => {
      const { name, end } = await runToEnd(`raise SystemExit(9)`);
      expect(end).toEqual({ exitCode: 9, outOfMemory: false });
      expect(await executor.wait(name)).toEqual(end);
      expect(await executor.wait('dctl-test-none')).toBeNull();
    });

    test('its files are collected after its end, more than once; null when they are not there', async () => {
      const { name } = await runToEnd(`
import os
os.makedirs('made/below')
open('made/below/file', 'w').write('content')`);
      for (let time = 0; time < 2; time += 1) {
        expect(await filesIn(await executor.collect(name, '/work/made'))).toEqual({
          'made/below/file': 'content',
        });
      }
      expect(await executor.collect(name, '/work/none')).toBeNull();
      expect(await executor.collect('dctl-test-none', '/work/made')).toBeNull();
    });

    test('it is found as created, running, ended, and not any more once it is removed', async () => {
      const spec = specOf(`import time; print('up'); time.sleep(60)`);
      expect(await executor.find(spec.name)).toBeNull();
      await executor.create(spec, filesOf({}));
      expect(await stateOf(spec.name)).toBe('created');
      const output = await executor.start(spec.name, '', forever);
      expect(await stateOf(spec.name)).toBe('running');
      await executor.signal(spec.name, 'SIGKILL');
      await read(output);
      await executor.wait(spec.name);
      expect(await stateOf(spec.name)).toBe('ended');
      await executor.remove(spec.name);
      expect(await executor.find(spec.name)).toBeNull();
    });

    test('it is listed with its run until it is removed', async () => {
      const spec = specOf('pass', { labels: { [runLabel]: `run-of-${suite}` } });
      await executor.create(spec, filesOf({}));
      const listed = await executor.list();
      expect(listed).toContainEqual({ name: spec.name, runId: `run-of-${suite}`, installationId: null });
      await executor.remove(spec.name);
      expect((await executor.list()).map(({ name }) => name)).not.toContain(spec.name);
    });

    test('its data volume stays, and is listed and removed once no container uses it', async () => {
      const labels = { [environmentLabel]: `of-${suite}`, [installationLabel]: `here-${suite}` };
      const volume = { name: `dctl-data-left-${suite}`, labels };
      const isListed = async () => (await executor.listVolumes()).find(({ name }) => name === volume.name);
      const spec = specOf('pass', { dataVolume: volume });
      await executor.create(spec, filesOf({}));
      expect(await isListed()).toBeUndefined();
      expect(await executor.removeVolume(volume.name)).toBe(false);
      await executor.remove(spec.name);
      expect(await isListed()).toEqual({
        name: volume.name,
        runId: null,
        isWarm: false,
        preparationId: null,
        environmentId: `of-${suite}`,
        installationId: `here-${suite}`,
      });
      expect(await executor.removeVolume(volume.name)).toBe(true);
      expect(await executor.removeVolume(volume.name)).toBe(false);
    });

    test('is removed while it runs too, and removing again does nothing', async () => {
      const { name, output } = await start(`import time; print('up'); time.sleep(60)`);
      await read(output, () => void executor.remove(name));
      expect(await executor.wait(name)).toBeNull();
      await executor.remove(name);
      expect(await executor.find(name)).toBeNull();
    });
  });
}

/** Both streams to their end. `onFirst` is called when the first piece is there. */
async function read(output: Output, onFirst?: () => void): Promise<{ log: string; protocol: string }> {
  const pieces: Record<'log' | 'protocol', Buffer[]> = { log: [], protocol: [] };
  for await (const { stream, content } of output) {
    pieces[stream].push(content);
    onFirst?.();
    onFirst = undefined;
  }
  return { log: Buffer.concat(pieces.log).toString(), protocol: Buffer.concat(pieces.protocol).toString() };
}

async function* filesOf(files: Record<string, string>): AsyncGenerator<Uint8Array> {
  const archive = pack();
  for (const [name, content] of Object.entries(files))
    archive.entry({ name, uid: 65532, gid: 65532 }, content);
  archive.finalize();
  yield* archive as AsyncIterable<Uint8Array>;
}

async function filesIn(tar: AsyncIterable<Uint8Array> | null): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  if (tar === null) return files;
  for await (const entry of Readable.from(tar).pipe(extract())) {
    const content = await buffer(entry as AsyncIterable<Uint8Array>);
    if (entry.header.type === 'file') files[entry.header.name] = content.toString();
  }
  return files;
}
