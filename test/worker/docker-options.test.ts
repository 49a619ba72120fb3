import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ContainerSpec } from '../../worker/executors/executor.ts';
import { createOptions, networkOptions } from '../../worker/executors/docker-options.ts';

const specs: fc.Arbitrary<ContainerSpec> = fc.record({
  name: fc.string(),
  labels: fc.dictionary(fc.string(), fc.string()),
  image: fc.string(),
  command: fc.array(fc.string()),
  environment: fc.dictionary(fc.string(), fc.string()),
  user: fc.record({ uid: fc.integer({ min: 1, max: 100_000 }), gid: fc.integer({ min: 1, max: 100_000 }) }),
  workFolder: fc.string(),
  dataVolume: fc.option(fc.record({ name: fc.string(), labels: fc.dictionary(fc.string(), fc.string()) })),
  memoryMb: fc.integer({ min: 64, max: 1_048_576 }),
  cpus: fc.double({ min: 0.1, max: 512, noNaN: true }),
  pids: fc.integer({ min: 1, max: 10_000 }),
  temporaryMb: fc.integer({ min: 1, max: 10_000 }),
  network: fc.string(),
});

test('no spec makes a container privileged, unlimited, or one with a folder of the host', () => {
  fc.assert(
    fc.property(specs, (spec) => {
      const { HostConfig: host, ...options } = createOptions(spec, { runtime: undefined });
      expect(host).toMatchObject({
        Privileged: false,
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
        ReadonlyRootfs: true,
        Init: true,
        AutoRemove: false,
        RestartPolicy: { Name: 'no' },
        PidsLimit: spec.pids,
        Memory: spec.memoryMb * 1024 ** 2,
        MemorySwap: spec.memoryMb * 1024 ** 2,
        NetworkMode: spec.network,
      });
      expect(Number.isInteger(host?.NanoCpus) && host!.NanoCpus! > 0).toBe(true);
      const allowed =
        'AutoRemove CapDrop CpuShares Init LogConfig Memory MemorySwap Mounts NanoCpus NetworkMode PidsLimit Privileged ReadonlyRootfs RestartPolicy SecurityOpt Tmpfs';
      expect(Object.keys(host ?? {}).toSorted()).toEqual(allowed.split(' '));
      expect(host?.Mounts?.map(({ Type, Target }) => [Type, Target])).toEqual([
        ['volume', spec.workFolder],
        ...(spec.dataVolume === null ? [] : [['volume', '/data']]),
      ]);
      expect(options).toMatchObject({
        User: `${spec.user.uid}:${spec.user.gid}`,
        Entrypoint: [],
        Tty: false,
      });
      expect(options.Cmd).toEqual(spec.command);
    }),
  );
});

test('a runtime such as runsc is used where one is set', () => {
  fc.assert(
    fc.property(specs, (spec) => {
      expect(createOptions(spec, { runtime: 'runsc' }).HostConfig?.Runtime).toBe('runsc');
    }),
    { numRuns: 5 },
  );
});

test('containers of the network for runs do not see each other', () => {
  expect(networkOptions('runs')).toMatchObject({
    Name: 'runs',
    Driver: 'bridge',
    Options: { 'com.docker.network.bridge.enable_icc': 'false' },
  });
});
