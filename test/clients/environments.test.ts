import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePythonEnvironment } from '../../scripts/setup/python-environment.ts';
import { runClient, type EnvironmentName } from './environments.ts';

const home = join(process.cwd(), '.dctl', 'clients');

const clients: Record<EnvironmentName, string[]> = {
  airflow2: ['apache-airflow', 'apache-airflow-providers-http', 'apache-airflow-providers-dbt-cloud'],
  airflow3: [
    'apache-airflow',
    'apache-airflow-providers-http',
    'apache-airflow-providers-dbt-cloud',
    'apache-airflow-providers-standard',
  ],
  'dbt-cloud-clients': ['dagster-dbt', 'prefect-dbt', 'dbtc', 'dbt-cloud-cli', 'dbt-jobs-as-code'],
};

test.each(Object.entries(clients) as [EnvironmentName, string[]][])(
  'the packages of %s are there in the versions of its lock',
  async (name, wanted) => {
    const script = `
import importlib.metadata
for each in importlib.metadata.distributions():
    print(f"{each.name.lower()}=={each.version}")`;
    const { stdout } = await runClient(name, ['python', '-'], { input: script });
    const installed = stdout.split('\n');
    const lock = readFileSync(join(import.meta.dirname, 'requirements', `${name}.txt`), 'utf8').split('\n');
    for (const client of wanted)
      expect(installed).toContain(lock.find((line) => line.startsWith(`${client}==`)));
  },
);

test('an environment that is asked for twice at once is built once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-lock-'));
  const lockFile = join(folder, 'six.txt');
  await writeFile(lockFile, 'six==1.17.0\n');
  const builtHere = async () => (await readdir(home)).filter((name) => name.startsWith('six-'));
  try {
    const ask = () => ensurePythonEnvironment({ home, name: 'six', lockFile });
    const [first, second] = await Promise.all([ask(), ask()]);
    expect(second).toEqual(first);
    expect(existsSync(first.python)).toBe(true);
    expect(await builtHere()).toHaveLength(1);
  } finally {
    for (const built of await builtHere()) await rm(join(home, built), { recursive: true });
    await rm(folder, { recursive: true });
  }
});

test('a package that cannot be installed is named, and nothing is left behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dctl-lock-'));
  const lockFile = join(folder, 'missing.txt');
  await writeFile(lockFile, 'six==99.0.0\n');
  try {
    await expect(ensurePythonEnvironment({ home, name: 'missing', lockFile })).rejects.toThrow(
      /six==99\.0\.0/,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
  expect((await readdir(home)).filter((name) => name.startsWith('missing'))).toEqual([]);
});
