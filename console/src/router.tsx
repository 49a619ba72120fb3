import { createBrowserRouter, Navigate } from 'react-router';
import { Frame } from './frame.tsx';
import { NotFound, PageError } from './pages/not-found.tsx';

/** Each page is a file of its own that a browser gets when it is first looked at. */
export const router = createBrowserRouter(
  [
    { path: '/sign-in', lazy: async () => ({ Component: (await import('./pages/sign-in.tsx')).SignIn }) },
    {
      path: '/',
      Component: Frame,
      ErrorBoundary: PageError,
      children: [
        { index: true, element: <Navigate to="/runs" replace /> },
        { path: 'runs', lazy: async () => ({ Component: (await import('./pages/runs.tsx')).Runs }) },
        { path: '*', Component: NotFound },
      ],
    },
  ],
  { basename: '/console' },
);
