import type { EnvironmentSettings } from '../../src/environments/environment-settings.ts';
import type { ProjectType } from '../../src/commands/project-type.ts';
import type { ClaimedRun } from '../../src/runs/lease.ts';

/**
 * What a container is made from, apart from the run that it is for. A container made ahead, and what one has prepared,
 * serve every run of the same basis.
 */
export interface Basis {
  /** Whose container and volumes it has, among those who share an engine. */
  installationId: string;
  organizationId: string;
  deploymentId: string;
  environment: EnvironmentSettings;
  projectType: ProjectType;
}

export function basisOf({ installationId, organizationId, deploymentId, settings }: ClaimedRun): Basis {
  const { environment, projectType } = settings;
  return { installationId, organizationId, deploymentId, environment, projectType };
}
