import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import type { EventRule, EventSource, Project } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Problem } from '../parts/problem.tsx';
import { useProjects } from '../projects/projects.ts';
import { useSources } from './lists.ts';
import { RuleForm } from './rule-form.tsx';

/** A rule that is there, or one that is being made. */
export function RulePage() {
  const { ruleId = '' } = useParams();
  const isNew = ruleId === 'new';
  const sources = useSources();
  const projects = useProjects();
  const stored = useQuery({
    queryKey: ['event rule', ruleId],
    queryFn: ({ signal }) => api().call('getEventRule', { path: { rule_id: ruleId } }, { signal }),
    enabled: !isNew,
  });
  const error = stored.error ?? sources.error ?? projects.error;
  if (error !== null) return <Problem error={error} />;
  if (sources.data === undefined || projects.data === undefined) return <p className="quiet">Loading…</p>;
  const rule = isNew ? newRule(sources.data, projects.data) : stored.data;
  if (rule === undefined) return <p className="quiet">Loading…</p>;
  return (
    <>
      <PageHead title={isNew ? 'New rule' : rule.name} trail={[['/orchestration/rules', 'Rules']]} />
      <RuleForm key={ruleId} rule={rule} isNew={isNew} sources={sources.data} projects={projects.data} />
    </>
  );
}

function newRule(sources: EventSource[], projects: Project[]): EventRule {
  const project = projects.find(({ jobs }) => jobs.length > 0);
  return {
    id: '',
    name: '',
    source_id: sources[0]?.id ?? '',
    is_active: true,
    conditions: [],
    project_id: project?.id ?? '',
    job_id: project?.jobs[0]?.id ?? '',
    command_override: null,
    cause: null,
    metadata: null,
    window_seconds: null,
    window_until: null,
    created_at: '',
    updated_at: '',
  };
}
