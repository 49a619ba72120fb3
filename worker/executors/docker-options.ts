import type { ContainerCreateOptions, MountSettings, NetworkCreateOptions } from 'dockerode';
import type { ContainerSpec } from './executor.ts';

/** Marks a Docker network that runs may join. */
export const networkLabel = 'dctl.network';

const megabyte = 1024 * 1024;
/** Given to all, since what an engine takes for the usual depends on its kind of cgroups. */
export const usualCpuShares = 1024;
const yieldingCpuShares = 256;

/** A spec in Docker's words: locked down, and with nothing in it that `docker inspect` may not show. */
export function createOptions(
  spec: ContainerSpec,
  options: { runtime: string | undefined },
): ContainerCreateOptions {
  return {
    name: spec.name,
    Image: spec.image,
    Cmd: spec.command,
    Entrypoint: [],
    Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
    Labels: spec.labels,
    User: `${spec.user.uid}:${spec.user.gid}`,
    WorkingDir: spec.workFolder,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    HostConfig: {
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Privileged: false,
      Init: true,
      PidsLimit: spec.pids,
      Memory: spec.memoryMb * megabyte,
      MemorySwap: spec.memoryMb * megabyte,
      NanoCpus: Math.round(spec.cpus * 1e9),
      CpuShares: spec.yields === true ? yieldingCpuShares : usualCpuShares,
      NetworkMode: spec.network,
      Tmpfs: { '/tmp': `rw,nosuid,nodev,size=${spec.temporaryMb}m,mode=1777` },
      Mounts: [
        { Type: 'volume', Source: '', Target: spec.workFolder, VolumeOptions: volumeOptions(spec.labels) },
        ...dataMounts(spec),
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      RestartPolicy: { Name: 'no' },
      // Its exit code and files are read after its end, maybe by another worker than the one that started it.
      AutoRemove: false,
      ...(options.runtime === undefined ? {} : { Runtime: options.runtime }),
    },
  };
}

/** The engine makes the volume, with these labels, where there is none of its name. */
function dataMounts({ dataVolume }: ContainerSpec): MountSettings[] {
  if (dataVolume === null) return [];
  const { name, labels } = dataVolume;
  return [{ Type: 'volume', Source: name, Target: '/data', VolumeOptions: volumeOptions(labels) }];
}

function volumeOptions(labels: Record<string, string>): NonNullable<MountSettings['VolumeOptions']> {
  return { NoCopy: false, Labels: labels, DriverConfig: { Name: '', Options: {} } };
}

/** The network that runs share. Its containers reach the world, but not each other. */
export function networkOptions(name: string): NetworkCreateOptions {
  return {
    Name: name,
    Driver: 'bridge',
    CheckDuplicate: true,
    Options: { 'com.docker.network.bridge.enable_icc': 'false' },
    Labels: { [networkLabel]: 'runs' },
  };
}
