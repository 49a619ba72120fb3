import { join } from 'node:path';
import { makeAuthority } from '../support/certificates.ts';
import { createJob, deployProject, expectStatus, type DeployedProject } from '../support/project.ts';
import { startSystem, type System } from '../support/system.ts';

/** A dctl that speaks https, as clients want it, with the project of this folder. */
export interface ClientSystem extends System {
  /** The file that clients have to trust. */
  certificates: string;
  /** dbt Cloud's number of the organization. */
  accountId: number;
  /** Called `jaffle_shop`, as in what is shown to users. */
  project: DeployedProject;
}

/** `folder`: of another project than the small one here. */
export async function startClientSystem(
  environment: Record<string, string> = {},
  folder = join(import.meta.dirname, 'project'),
): Promise<ClientSystem> {
  const authority = await makeAuthority();
  const { cert, key } = await authority.issue({ cert: 'tls.crt', key: 'tls.key', name: 'IP:127.0.0.1' });
  const tls = { DCTL_TLS_CERT: cert, DCTL_TLS_KEY: key, DCTL_PLAIN_PORT: '0' };
  const system = await startSystem({ environment: { ...tls, ...environment } });
  const accounts = await expectStatus(200, system.call('GET', '/api/v2/accounts/'));
  return {
    ...system,
    certificates: authority.ca,
    accountId: accounts.body.data[0].id,
    project: await deployProject(system, { name: 'jaffle_shop', folder }),
    async stop() {
      await system.stop();
      await authority.remove();
    },
  };
}

/** Makes a job for each command. Returns name -> dbt Cloud's number, of the project's first job as well. */
export async function createJobs(
  system: ClientSystem,
  commands: Record<string, string>,
): Promise<Record<string, number>> {
  for (const [name, command] of Object.entries(commands))
    await createJob(system, system.project.projectId, { name, command });
  const listed = await expectStatus(
    200,
    system.call('GET', `/api/v2/accounts/${system.accountId}/jobs/?limit=100`),
  );
  return Object.fromEntries(listed.body.data.map(({ id, name }: { id: number; name: string }) => [name, id]));
}

/** dbt Cloud's numbers of the project and its environment. */
export async function numbersOf(
  system: ClientSystem,
): Promise<{ projectNumber: number; environmentNumber: number }> {
  const ask = (what: string) =>
    expectStatus(200, system.call('GET', `/api/v3/accounts/${system.accountId}/${what}/`));
  const [projects, environments] = await Promise.all([ask('projects'), ask('environments')]);
  return { projectNumber: projects.body.data[0].id, environmentNumber: environments.body.data[0].id };
}
