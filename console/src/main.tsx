import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router/dom';
import { DctlError } from '../../client/client.ts';
import { router } from './router.tsx';
// All of it here, once and in this order: what a page looks like is not to depend on which were open before.
import './styles.css';
import './parts/parts.css';
import './parts/rows.css';
import './pages/runs.css';
import './pages/run.css';
import './jobs/jobs.css';
import './projects/projects.css';
import './orchestration/orchestration.css';
import './settings/settings.css';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal would be the same again; a server that is away comes back.
      retry: (failures, error) => !(error instanceof DctlError && error.status < 500) && failures < 3,
      refetchOnWindowFocus: true,
    },
  },
});

// A page left open while the server was upgraded asks for files of a build that is gone. It is loaded anew, once.
window.addEventListener('vite:preloadError', (event) => {
  if (history.state?.isLoadedAnew === true) return;
  event.preventDefault();
  history.replaceState({ ...history.state, isLoadedAnew: true }, '');
  window.location.reload();
});

createRoot(document.getElementById('root')!).render(
  <QueryClientProvider client={queries}>
    <RouterProvider router={router} />
  </QueryClientProvider>,
);
