import type { Context } from '../context.ts';
import { pageQuery } from '../paging.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { deploy } from './deploy.ts';
import { activateDeployment, deploymentsOf, getDeployment, prepareAgain } from './deployments.ts';
import { changeProject, createProject, deleteProject, getProject, projectsOf } from './projects.ts';
import { pruneDeployment, pruneOldDeployments } from './prune.ts';
import * as shapes from './schema.ts';

const tag = 'Projects';
const deploymentPath = '/api/v1/projects/{project_id}/deployments/{deployment_id}';
const keyOf = (params: { project_id: string; deployment_id: string }) => ({
  projectId: params.project_id,
  deploymentId: params.deployment_id,
});

export const projectRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: '/api/v1/projects',
    name: 'listProjects',
    summary: "The organization's projects with their jobs",
    tag,
    scope: 'read',
    query: pageQuery,
    success: { status: 200, description: 'Projects, oldest first', schema: shapes.projectList },
    handle: ({ principal, query }) => projectsOf(context, principal, query),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/v1/projects',
    name: 'createProject',
    summary: 'Make a project',
    tag,
    scope: 'admin',
    body: shapes.newProject,
    success: { status: 201, description: 'The project', schema: shapes.projectView },
    handle: ({ principal, body }) => createProject(context, principal, body),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/projects/{project_id}',
    name: 'getProject',
    summary: 'A project with its jobs',
    tag,
    scope: 'read',
    params: shapes.projectParams,
    success: { status: 200, description: 'The project', schema: shapes.projectView },
    handle: ({ principal, params }) => getProject(context, principal, params.project_id),
  }),
  jsonRoute({
    method: 'patch',
    path: '/api/v1/projects/{project_id}',
    name: 'changeProject',
    summary: 'Rename a project',
    tag,
    scope: 'admin',
    params: shapes.projectParams,
    body: shapes.projectChange,
    success: { status: 200, description: 'The project', schema: shapes.projectView },
    handle: ({ principal, params, body }) => changeProject(context, principal, params.project_id, body),
  }),
  jsonRoute({
    method: 'delete',
    path: '/api/v1/projects/{project_id}',
    name: 'deleteProject',
    summary: 'Delete a project with its jobs, environments and code; its runs stay',
    tag,
    scope: 'admin',
    params: shapes.projectParams,
    success: { status: 204, description: 'Deleted' },
    handle: ({ principal, params }) => deleteProject(context, principal, params.project_id),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/v1/projects/{project_id}/deployments',
    name: 'deploy',
    summary: "Deploy a project's code, a .tar.gz of its folder",
    tag,
    scope: 'admin',
    params: shapes.projectParams,
    uploads: 'application/gzip',
    success: { status: 201, description: 'Deployed', schema: shapes.deployed },
    handle: ({ principal, params, upload }) => deploy(context, principal, params.project_id, upload),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/projects/{project_id}/deployments',
    name: 'listDeployments',
    summary: "A project's deployments",
    tag,
    scope: 'read',
    params: shapes.projectParams,
    query: shapes.deploymentQuery,
    success: { status: 200, description: 'Deployments, newest first', schema: shapes.deploymentList },
    handle: ({ principal, params, query: { include_pruned, ...page } }) =>
      deploymentsOf(context, principal, params.project_id, {
        ...page,
        includePruned: include_pruned === '1',
      }),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/v1/projects/{project_id}/deployments/prune',
    name: 'pruneDeployments',
    summary: 'Remove the files of old deployments',
    tag,
    scope: 'admin',
    params: shapes.projectParams,
    body: shapes.prune,
    success: { status: 200, description: 'Those that were removed', schema: shapes.pruned },
    handle: ({ principal, params, body }) =>
      pruneOldDeployments(context, principal, params.project_id, body.keep),
  }),
  jsonRoute({
    method: 'get',
    path: deploymentPath,
    name: 'getDeployment',
    summary: 'A deployment',
    tag,
    scope: 'read',
    params: shapes.deploymentParams,
    success: { status: 200, description: 'The deployment', schema: shapes.deploymentView },
    handle: ({ principal, params }) => getDeployment(context, principal, keyOf(params)),
  }),
  jsonRoute({
    method: 'post',
    path: `${deploymentPath}/activate`,
    name: 'activateDeployment',
    summary: 'Use a deployment for runs from now on: roll back or forward',
    tag,
    scope: 'admin',
    params: shapes.deploymentParams,
    success: { status: 200, description: 'The deployment', schema: shapes.deploymentView },
    handle: ({ principal, params }) => activateDeployment(context, principal, keyOf(params)),
  }),
  jsonRoute({
    method: 'post',
    path: `${deploymentPath}/prepare`,
    name: 'prepareDeployment',
    summary: 'Install its packages and parse its project once more',
    tag,
    scope: 'admin',
    params: shapes.deploymentParams,
    success: { status: 200, description: 'The deployment', schema: shapes.deploymentView },
    handle: ({ principal, params }) => prepareAgain(context, principal, keyOf(params)),
  }),
  jsonRoute({
    method: 'delete',
    path: deploymentPath,
    name: 'pruneDeployment',
    summary: "Remove a deployment's files",
    tag,
    scope: 'admin',
    params: shapes.deploymentParams,
    success: { status: 204, description: 'Removed' },
    handle: ({ principal, params }) => pruneDeployment(context, principal, keyOf(params)),
  }),
];
