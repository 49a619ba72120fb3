import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { deployProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';
import { newPerson, type Person } from './dctl.ts';

let system: System;
let person: Person;

beforeAll(async () => {
  system = await startSystem({ workers: 0 });
  person = await newPerson(system);
  const { projectId } = await deployProject(system, { name: 'shop' });
  const hostile = { name: `it's $(touch bad) night`, command: 'dbt build' };
  await system.call('POST', `/api/v1/projects/${projectId}/jobs`, hostile);
  await mkdir(join(person.home, 'bin'));
  await symlink(join(process.cwd(), 'cli/dctl.mjs'), join(person.home, 'bin/dctl'));
});
afterAll(async () => {
  await system.stop();
  await person.leave();
});

/** What bash offers when Tab is pressed behind these words. */
async function offered(...words: string[]): Promise<string[]> {
  const list = words.map((word) => `'${word}'`).join(' ');
  const script = `eval "$(dctl completion bash)"; COMP_WORDS=(dctl ${list}); COMP_CWORD=${words.length}; _dctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { PATH = '' } = person.environment;
  const env = { ...person.environment, PATH: `${join(person.home, 'bin')}:${PATH}` };
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: person.home, env });
  return stdout.trim().split('\n');
}

test('bash offers commands, options, their values, and the names that the server knows', async () => {
  expect(await offered('tr')).toEqual(['trigger']);
  expect(await offered('webhook', '')).toEqual([
    'verify',
    'secret',
    'rotate-secret',
    'test',
    'deliveries',
    'send-again',
  ]);
  expect(await offered('trigger', '--s')).toEqual(['--select']);
  expect(await offered('runs', '--status', 'par')).toEqual(['partial']);
  expect(await offered('trigger', 'sch')).toEqual(['scheduled-run']);
  expect(await offered('jobs', '')).toEqual(['show', 'create', 'set', 'delete', 'trends']);
  expect(await offered('env', '--project', 's')).toEqual(['shop']);
  expect(await offered('jobs', 'show', '--project', 'nowhere', '')).toEqual(['']);
});

test('a name is one word there, whatever is in it', async () => {
  expect(await offered('trigger', 'it')).toEqual([`it\\'s\\ \\$\\(touch\\ bad\\)\\ night`]);
});

test('a server that is away offers nothing, and nobody waits for it', async () => {
  const environment = { DCTL_URL: 'http://127.0.0.1:1' };
  const startedAt = performance.now();
  const { exitCode, stdout, stderr } = await person.dctl(['__complete', 'bash', 'trigger', ''], {
    environment,
  });
  expect([exitCode, stdout, stderr]).toEqual([0, '', '']);
  expect(performance.now() - startedAt).toBeLessThan(4_000);
});

test('zsh and fish are told what each candidate is about', async () => {
  const { stdout } = await person.dctl(['__complete', 'zsh', 'trigger', 'sch']);
  expect(stdout).toBe('scheduled-run\tdbt build\n');
});
