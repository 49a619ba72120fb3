import { useQuery } from '@tanstack/react-query';
import { Outlet, useOutletContext, useParams } from 'react-router';
import type { NodeResult, Run } from '../../../client/operations.ts';
import { Problem } from '../parts/problem.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { Artifacts } from '../run/artifacts.tsx';
import { Failures } from '../run/failures.tsx';
import { RunHead } from '../run/head.tsx';
import { Lineage } from '../run/lineage.tsx';
import { LogView } from '../run/log-view.tsx';
import { NodeDialog } from '../run/node-dialog.tsx';
import { NodesTable } from '../run/nodes-table.tsx';
import { Steps } from '../run/steps.tsx';
import { Timeline } from '../run/timeline.tsx';
import { runQuery, useNodes } from '../run/use-run.ts';
import { Webhooks } from '../run/webhooks.tsx';

interface Shown {
  run: Run;
  nodes: NodeResult[];
}

/** One run: what it is and what failed, and below that its log, nodes, timeline, lineage, files and webhooks. */
export function RunPage() {
  const { runId = '' } = useParams();
  const { data: run, error, refetch } = useQuery(runQuery(runId));
  if (run === undefined) {
    if (error === null) return <p className="quiet">Loading…</p>;
    return (
      <>
        <h1>Run</h1>
        <Problem error={error} again={() => void refetch()} />
      </>
    );
  }
  // A run has a state of its own on this page.
  return <KnownRun key={run.id} run={run} />;
}

function KnownRun({ run }: { run: Run }) {
  const { data: nodes = [], error } = useNodes(run);
  const at = `/runs/${run.id}`;
  return (
    <>
      <RunHead run={run} />
      <Steps run={run} />
      {error !== null && <Problem error={error} />}
      <Failures run={run} nodes={nodes} />
      <Tabs
        label="Run"
        places={[
          [at, 'Log'],
          [`${at}/nodes`, 'Nodes'],
          [`${at}/timeline`, 'Timeline'],
          [`${at}/lineage`, 'Lineage'],
          [`${at}/artifacts`, 'Artifacts'],
          [`${at}/webhooks`, 'Webhooks'],
        ]}
      />
      <Outlet context={{ run, nodes } satisfies Shown} />
      <NodeDialog run={run} nodes={nodes} />
    </>
  );
}

const useShown = () => useOutletContext<Shown>();

export function RunLogPage() {
  return <LogView run={useShown().run} />;
}

export function RunNodesPage() {
  return <NodesTable nodes={useShown().nodes} />;
}

export function RunTimelinePage() {
  return <Timeline nodes={useShown().nodes} />;
}

export function RunLineagePage() {
  return <Lineage {...useShown()} />;
}

export function RunArtifactsPage() {
  return <Artifacts run={useShown().run} />;
}

export function RunWebhooksPage() {
  return <Webhooks run={useShown().run} />;
}
