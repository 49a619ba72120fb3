import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import type { Artifact, NodeResult, Run } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import { Duration } from '../parts/time.tsx';
import { sqlFilesOf, sqlIn } from './compiled-files.ts';
import { linesAbout } from './log-lines.ts';
import { LineText } from './log-view.tsx';
import { lookOf, nameOf } from './node-status.ts';
import { NodeStatus } from './node-status-shown.tsx';
import { useArtifacts } from './use-artifacts.ts';
import { useLog } from './use-log.ts';
import { isFinal } from './use-run.ts';

/** What became of a node: its message, what was sent to the warehouse, and what the log says of it. */
export function NodeDetails({ run, node }: { run: Run; node: NodeResult }) {
  const isBad = lookOf(node.status) === 'bad';
  return (
    <div className="node-details">
      <p>
        <NodeStatus status={node.status} /> <span className="quiet">{node.resource_type}</span>{' '}
        <Duration seconds={node.duration_seconds} since={node.start_time} />
        {node.rows_affected !== null && <span className="quiet"> {node.rows_affected} rows</span>}
        {node.thread !== null && <span className="quiet"> {node.thread}</span>}
      </p>
      {node.message !== null && (
        <pre
          className={isBad ? 'text look-bad' : 'text'}
          role="region"
          aria-label={`Message of ${nameOf(node.unique_id)}`}
          tabIndex={0}
        >
          {node.message}
        </pre>
      )}
      {isFinal(run) && <CompiledSql run={run} node={node} />}
      <LogLines run={run} node={node} isOpen={isBad} />
    </div>
  );
}

function CompiledSql({ run, node }: { run: Run; node: NodeResult }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Compiled SQL</summary>
      {isOpen && <SqlOfNode run={run} node={node} />}
    </details>
  );
}

function SqlOfNode({ run, node }: { run: Run; node: NodeResult }) {
  const artifacts = useArtifacts(run);
  if (artifacts.isError) return <Problem error={artifacts.error} again={() => void artifacts.refetch()} />;
  if (artifacts.data === undefined) return <p className="quiet">Loading…</p>;
  const [file] = sqlFilesOf(node, artifacts.data);
  if (file !== undefined) return <FileText run={run} file={file} />;
  const results = artifacts.data.find(({ path, step }) => path === 'run_results.json' && step === node.step);
  return results === undefined ? <NoSql /> : <SqlFromResults run={run} node={node} results={results} />;
}

function SqlFromResults({ run, node, results }: { run: Run; node: NodeResult; results: Artifact }) {
  const content = useFile(run, results);
  if (content.isError) return <Problem error={content.error} again={() => void content.refetch()} />;
  if (content.data === undefined) return <p className="quiet">Loading…</p>;
  const sql = sqlIn(content.data, node.unique_id);
  return sql === null ? <NoSql /> : <Text name={`SQL of ${nameOf(node.unique_id)}`} text={sql} />;
}

function NoSql() {
  return <p className="quiet">No compiled SQL: dbt did not compile this node.</p>;
}

export function FileText({ run, file }: { run: Run; file: Artifact }) {
  const content = useFile(run, file);
  if (content.isError) return <Problem error={content.error} again={() => void content.refetch()} />;
  return content.data === undefined ? null : <Text name={file.path} text={content.data} />;
}

function useFile(run: Run, { path, step }: Artifact) {
  return useQuery({
    queryKey: ['run', run.id, 'artifact', step, path],
    queryFn: async ({ signal }) => {
      const asked = { path: { run_id: run.id, path }, query: { step } };
      return (await api().open('getRunArtifact', asked, { signal })).text();
    },
    staleTime: Infinity,
  });
}

function Text({ name, text }: { name: string; text: string }) {
  return (
    <figure className="file">
      <figcaption className="quiet wrap">{name}</figcaption>
      <pre className="sql" tabIndex={0} role="region" aria-label={name}>
        {text}
      </pre>
    </figure>
  );
}

const most = 200;

function LogLines({ run, node, isOpen: isOpenAtFirst }: { run: Run; node: NodeResult; isOpen: boolean }) {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  return (
    <details open={isOpenAtFirst} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Log lines</summary>
      {isOpen && <LinesOfNode run={run} node={node} />}
    </details>
  );
}

function LinesOfNode({ run, node }: { run: Run; node: NodeResult }) {
  const log = useLog(run.id);
  const { version } = log;
  const name = nameOf(node.unique_id);
  const lines = useMemo(() => linesAbout(log, name, most), [log, name, version]);
  if (log.error !== null) return <Problem error={log.error} />;
  if (lines.length === 0)
    return <p className="quiet">{log.state === 'ended' ? 'No log lines mention this node.' : 'Loading…'}</p>;
  return (
    <div className="log-excerpt" role="region" aria-label={`Log lines of ${name}`} tabIndex={0}>
      {lines.map((line) => (
        <div key={line} className="log-line">
          <Link
            className="log-number"
            to={{ pathname: `/runs/${run.id}`, hash: `#L${line + 1}` }}
            aria-label={`Line ${line + 1} in the log`}
          >
            {line + 1}
          </Link>
          <LineText line={log.lines[line]!} search="" />
        </div>
      ))}
    </div>
  );
}
