import { Outlet } from 'react-router';
import { PageHead } from '../parts/page-head.tsx';
import { Tabs } from '../parts/tabs.tsx';

/** What makes jobs run from outside, and what is told when they are done. Its parts are the files of `orchestration/`. */
export function Orchestration() {
  return (
    <>
      <PageHead title="Orchestration" />
      <Tabs
        label="Orchestration"
        places={[
          ['/orchestration', 'Events'],
          ['/orchestration/rules', 'Rules'],
          ['/orchestration/sources', 'Sources'],
          ['/orchestration/hooks', 'Hooks'],
          ['/orchestration/values', 'Variables and secrets'],
        ]}
      />
      <Outlet />
    </>
  );
}
