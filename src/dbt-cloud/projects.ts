import type { Context, Principal } from '../context.ts';
import { storedConnection } from '../environments/connection.ts';
import { AppError } from '../errors.ts';
import { requireAccount } from './accounts.ts';
import { both, listed, pageOf } from './lists.ts';
import type { EnvironmentQuery, ProjectQuery } from './queries.ts';
import type { EnvironmentView, ProjectView } from './schema.ts';
import {
  findDbtVersions,
  findEnvironment,
  findProject,
  listEnvironments,
  listProjects,
  type StoredEnvironment,
  type StoredProject,
} from './store.ts';

export async function projectsOf(
  context: Context,
  principal: Principal,
  accountId: number,
  query: ProjectQuery,
) {
  await requireAccount(context, principal, accountId);
  const filters = { name: query.name, nameContains: query.name__icontains };
  const { rows, total } = await listProjects(context.db, principal.organizationId, filters, pageOf(query));
  return listed(
    rows.map((row) => viewProject(row, accountId)),
    query,
    total,
  );
}

export async function getProject(
  context: Context,
  principal: Principal,
  { account_id: accountId, project_id: number }: { account_id: number; project_id: number },
): Promise<ProjectView> {
  await requireAccount(context, principal, accountId);
  return viewProject(await requireProject(context, principal, number), accountId);
}

/** `projectNumber`: only this project's. */
export async function environmentsOf(
  context: Context,
  principal: Principal,
  { accountId, projectNumber }: { accountId: number; projectNumber?: number },
  query: EnvironmentQuery,
) {
  await requireAccount(context, principal, accountId);
  if (projectNumber !== undefined) await requireProject(context, principal, projectNumber);
  const filters = {
    name: query.name,
    nameContains: query.name__icontains,
    projectNumbers:
      projectNumber === undefined ? both(query.project_id, query.project_id__in) : [projectNumber],
  };
  const { organizationId } = principal;
  const { rows, total } = await listEnvironments(context.db, organizationId, filters, pageOf(query));
  const ids = rows.map(({ id }) => id);
  const versions = await findDbtVersions(context.pool, ids);
  return listed(
    rows.map((row) => viewEnvironment(row, accountId, versions.get(row.id) ?? null)),
    query,
    total,
  );
}

export async function getEnvironment(
  context: Context,
  principal: Principal,
  where: { account_id: number; project_id?: number; environment_id: number },
): Promise<EnvironmentView> {
  await requireAccount(context, principal, where.account_id);
  if (where.project_id !== undefined) await requireProject(context, principal, where.project_id);
  const found = await findEnvironment(context.db, principal.organizationId, {
    number: where.environment_id,
    projectNumber: where.project_id,
  });
  if (found === null) throw noSuchEnvironment();
  const versions = await findDbtVersions(context.pool, [found.id]);
  return viewEnvironment(found, where.account_id, versions.get(found.id) ?? null);
}

export async function requireProject(
  { db }: Context,
  { organizationId }: Principal,
  number: number,
): Promise<StoredProject> {
  const project = await findProject(db, organizationId, number);
  if (project === null) throw new AppError('not_found', 'There is no such project.');
  return project;
}

export function noSuchEnvironment(): AppError {
  return new AppError('not_found', 'There is no such environment.');
}

function viewProject(row: StoredProject, accountId: number): ProjectView {
  const createdAt = row.createdAt.toISOString();
  return {
    id: Number(row.number),
    account_id: accountId,
    name: row.name,
    description: '',
    state: 1,
    connection: connectionOf(row),
    created_at: createdAt,
    updated_at: createdAt,
  };
}

/** What is stored of a connection holds no secrets. */
function connectionOf({ environments: [first] }: StoredProject): ProjectView['connection'] {
  const stored = storedConnection.safeParse(first?.connection);
  if (first === undefined || !stored.success) return null;
  const { type } = stored.data;
  const entries = Object.entries(stored.data).filter(([field]) => addressFields.has(field));
  return { id: Number(first.number), name: type, type, details: Object.fromEntries(entries) };
}

const addressFields = new Set(
  'host port dbname database account warehouse role project dataset location http_path catalog schema path'.split(
    ' ',
  ),
);

export function viewEnvironment(
  row: StoredEnvironment,
  accountId: number,
  dbtVersion: string | null,
): EnvironmentView {
  const createdAt = row.createdAt.toISOString();
  return {
    id: Number(row.number),
    account_id: accountId,
    project_id: Number(row.project.number),
    name: row.name,
    type: 'deployment',
    deployment_type: row.name === 'production' ? 'production' : null,
    dbt_version: dbtVersion,
    state: 1,
    use_custom_branch: false,
    custom_branch: null,
    supports_docs: true,
    created_at: createdAt,
    updated_at: createdAt,
  };
}
