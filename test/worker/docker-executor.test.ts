import Docker from 'dockerode';
import { dockerExecutor } from '../../worker/executors/docker.ts';
import { executorConformance } from './executor-conformance.ts';

executorConformance(async () => ({
  executor: dockerExecutor({ network: 'dctl-runs', runtime: undefined }),
  image: process.env['DCTL_TEST_RUNNER_IMAGE'] ?? '',
  network: 'dctl-runs',
  close: (dataVolume) => new Docker().getVolume(dataVolume).remove(),
}));
