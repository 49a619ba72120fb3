import { createBrowserRouter, Navigate } from 'react-router';
import { Frame } from './frame.tsx';
import { NotFound, PageError } from './pages/not-found.tsx';

/** Each page is a file of its own that a browser gets when it is first looked at. */
export const router = createBrowserRouter(
  [
    {
      path: '/sign-in',
      HydrateFallback: Loading,
      lazy: async () => ({ Component: (await import('./pages/sign-in.tsx')).SignIn }),
    },
    {
      path: '/invitation',
      HydrateFallback: Loading,
      lazy: async () => ({ Component: (await import('./pages/invitation.tsx')).Invitation }),
    },
    {
      path: '/',
      Component: Frame,
      HydrateFallback: Loading,
      ErrorBoundary: PageError,
      children: [
        { index: true, element: <Navigate to="/runs" replace /> },
        { path: 'runs', lazy: async () => ({ Component: (await import('./pages/runs.tsx')).Runs }) },
        {
          path: 'runs/:runId',
          lazy: async () => ({ Component: (await import('./pages/run.tsx')).RunPage }),
          children: [
            { index: true, lazy: async () => ({ Component: (await import('./pages/run.tsx')).RunLogPage }) },
            {
              path: 'nodes',
              lazy: async () => ({ Component: (await import('./pages/run.tsx')).RunNodesPage }),
            },
            {
              path: 'timeline',
              lazy: async () => ({ Component: (await import('./pages/run.tsx')).RunTimelinePage }),
            },
            {
              path: 'lineage',
              lazy: async () => ({ Component: (await import('./pages/run.tsx')).RunLineagePage }),
            },
            {
              path: 'artifacts',
              lazy: async () => ({ Component: (await import('./pages/run.tsx')).RunArtifactsPage }),
            },
            {
              path: 'webhooks',
              lazy: async () => ({ Component: (await import('./pages/run.tsx')).RunWebhooksPage }),
            },
          ],
        },
        { path: 'jobs', lazy: async () => ({ Component: (await import('./pages/jobs.tsx')).Jobs }) },
        {
          path: 'jobs/:projectId/:jobId',
          lazy: async () => ({ Component: (await import('./pages/job.tsx')).JobPage }),
          children: [
            {
              index: true,
              lazy: async () => ({ Component: (await import('./jobs/overview.tsx')).JobOverview }),
            },
            {
              path: 'settings',
              lazy: async () => ({ Component: (await import('./jobs/settings.tsx')).JobSettings }),
            },
            {
              path: 'webhook',
              lazy: async () => ({ Component: (await import('./jobs/webhook.tsx')).JobWebhook }),
            },
          ],
        },
        {
          path: 'projects',
          lazy: async () => ({ Component: (await import('./pages/projects.tsx')).Projects }),
        },
        {
          path: 'projects/:projectId',
          lazy: async () => ({ Component: (await import('./pages/project.tsx')).ProjectPage }),
          children: [
            {
              index: true,
              lazy: async () => ({ Component: (await import('./projects/deployments.tsx')).Deployments }),
            },
            {
              path: 'environments',
              lazy: async () => ({ Component: (await import('./projects/environments.tsx')).Environments }),
            },
            {
              path: 'settings',
              lazy: async () => ({ Component: (await import('./projects/settings.tsx')).ProjectSettings }),
            },
          ],
        },
        {
          path: 'projects/:projectId/environments/:environmentId',
          lazy: async () => ({ Component: (await import('./pages/environment.tsx')).EnvironmentPage }),
        },
        {
          path: 'settings',
          lazy: async () => ({ Component: (await import('./pages/settings.tsx')).Settings }),
          children: [
            { index: true, element: <Navigate to="authentication/account" replace /> },
            {
              path: 'authentication/account',
              lazy: async () => ({ Component: (await import('./settings/account.tsx')).Account }),
            },
            {
              path: 'authentication/api-tokens',
              lazy: async () => ({ Component: (await import('./settings/api-tokens.tsx')).ApiTokens }),
            },
            {
              path: 'organization',
              lazy: async () => ({
                Component: (await import('./settings/organization.tsx')).OrganizationPage,
              }),
            },
            {
              path: 'users',
              lazy: async () => ({ Component: (await import('./settings/users.tsx')).Users }),
            },
            {
              path: 'audit',
              lazy: async () => ({ Component: (await import('./settings/audit.tsx')).Audit }),
            },
          ],
        },
        {
          path: 'orchestration',
          lazy: async () => ({ Component: (await import('./pages/orchestration.tsx')).Orchestration }),
          children: [
            {
              index: true,
              lazy: async () => ({ Component: (await import('./orchestration/events.tsx')).Events }),
            },
            {
              path: 'rules',
              lazy: async () => ({ Component: (await import('./orchestration/rules.tsx')).Rules }),
            },
            {
              path: 'sources',
              lazy: async () => ({ Component: (await import('./orchestration/sources.tsx')).Sources }),
            },
            {
              path: 'hooks',
              lazy: async () => ({ Component: (await import('./orchestration/hooks.tsx')).Hooks }),
            },
            {
              path: 'values',
              lazy: async () => ({ Component: (await import('./orchestration/values.tsx')).Values }),
            },
          ],
        },
        {
          path: 'orchestration/events/:eventId',
          lazy: async () => ({ Component: (await import('./orchestration/event.tsx')).EventPage }),
        },
        {
          path: 'orchestration/rules/:ruleId',
          lazy: async () => ({ Component: (await import('./orchestration/rule.tsx')).RulePage }),
        },
        {
          path: 'orchestration/hooks/:hookId',
          lazy: async () => ({ Component: (await import('./orchestration/hook.tsx')).HookPage }),
        },
        { path: '*', Component: NotFound },
      ],
    },
  ],
  { basename: '/console' },
);

/** While the first page is fetched. */
function Loading() {
  return (
    <main>
      <p className="quiet">Loading…</p>
    </main>
  );
}
