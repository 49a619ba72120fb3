import type { Context } from '../context.ts';
import { pageQuery } from '../paging.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { deploy } from './deploy.ts';
import { deploymentsOf } from './deployments.ts';
import { createProject, getProject, projectsOf } from './projects.ts';
import * as shapes from './schema.ts';

const tag = 'Projects';

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
    query: pageQuery,
    success: { status: 200, description: 'Deployments, newest first', schema: shapes.deploymentList },
    handle: ({ principal, params, query }) => deploymentsOf(context, principal, params.project_id, query),
  }),
];
