import type { Asked } from '../../client/index.ts';
import type { OptionSpecs } from '../command.ts';
import { seconds, wholeNumber } from '../values.ts';

/** What can be set of an environment, but for its variables, secrets and warehouse. `none`: the server's default. */
export const settingOptions = {
  image: { about: 'the image that runs use; none: the default', value: 'IMAGE' },
  target: { about: "a target of the project's profile; none: its default", value: 'TARGET' },
  threads: { about: "dbt's threads", value: 'N', parse: wholeNumber(1, 256) },
  timeout: { about: 'maximum duration of a run: 30m, 2h', value: 'TIME', parse: seconds },
  memory: { about: 'memory limit of a run, in MiB', value: 'MB', parse: wholeNumber(64, 1_048_576) },
  network: { about: 'the Docker network its runs join; none: the default', value: 'NETWORK' },
} as const satisfies OptionSpecs;

interface GivenSettings {
  image: string | undefined;
  target: string | undefined;
  threads: number | undefined;
  timeout: number | undefined;
  memory: number | undefined;
  network: string | undefined;
}

export function environmentSettings({ image, target, threads, timeout, memory, network }: GivenSettings) {
  const all = {
    runner_image: orNull(image),
    target: orNull(target),
    threads,
    timeout_seconds: timeout,
    memory_mb: memory,
    network: orNull(network),
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Asked<'changeEnvironment'>['body'];
}

function orNull(text: string | undefined): string | null | undefined {
  return text === 'none' ? null : text;
}
