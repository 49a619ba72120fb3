import { useState } from 'react';
import type { Artifact, Run } from '../../../client/operations.ts';
import { api } from '../api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Problem } from '../parts/problem.tsx';
import { Cell, Rows } from '../parts/rows.tsx';
import { download } from './download.ts';
import { FileText } from './node-details.tsx';
import { useArtifacts } from './use-artifacts.ts';
import { isFinal } from './use-run.ts';

const columns = [
  { name: 'File', width: 'minmax(0, 1fr)' },
  { name: 'Size', width: '100px' },
  { name: 'Actions', width: '180px' },
];
/** What is larger is for an editor. */
const mostShown = 1_000_000;

/** The files that dbt left. */
export function Artifacts({ run }: { run: Run }) {
  const artifacts = useArtifacts(run);
  const [text, setText] = useState('');
  const [shown, setShown] = useState<Artifact | null>(null);
  const [refusal, setRefusal] = useState<unknown>(null);
  if (!isFinal(run)) return <p className="empty">Artifacts appear when the run ends.</p>;
  if (artifacts.isError) return <Problem error={artifacts.error} again={() => void artifacts.refetch()} />;
  if (artifacts.isPending) return <p className="quiet">Loading…</p>;
  const files = artifacts.data
    .filter(({ path }) => path.toLowerCase().includes(text.toLowerCase()))
    .toSorted((a, b) => depth(a) - depth(b) || (a.path < b.path ? -1 : 1));
  const keep = async ({ path, step }: Artifact) => {
    setRefusal(null);
    try {
      const answer = await api().open('getRunArtifact', { path: { run_id: run.id, path }, query: { step } });
      download(path.slice(path.lastIndexOf('/') + 1), [await answer.blob()]);
    } catch (error) {
      setRefusal(error);
    }
  };
  return (
    <section aria-label="Artifacts">
      {artifacts.data.length === 0 ? (
        <p className="empty">This run produced no artifacts.</p>
      ) : (
        <>
          <div className="log-tools">
            <input
              type="search"
              aria-label="Search files"
              placeholder="Search files"
              value={text}
              onChange={({ target }) => setText(target.value)}
            />
            <span className="quiet" role="status">
              {files.length} files
            </span>
          </div>
          {refusal !== null && <Problem error={refusal} />}
          {files.length > 0 && (
            <Rows
              label="Artifacts"
              columns={columns}
              count={files.length}
              height={42}
              narrowHeight={76}
              rowClass={() => 'artifact-row'}
              row={(index) => {
                const file = files[index]!;
                const cells = (
                  <>
                    <Cell className="artifact-path">
                      <span title={file.path}>{file.path}</span>
                    </Cell>
                    <Cell>{sizeText(file.size_bytes)}</Cell>
                    <Cell className="artifact-actions">
                      {file.size_bytes <= mostShown && (
                        <button type="button" aria-label={`Show ${file.path}`} onClick={() => setShown(file)}>
                          Show
                        </button>
                      )}
                      <button
                        type="button"
                        aria-label={`Download ${file.path}`}
                        onClick={() => void keep(file)}
                      >
                        Download
                      </button>
                    </Cell>
                  </>
                );
                return { key: `${file.step} ${file.path}`, cells };
              }}
            />
          )}
        </>
      )}
      {shown !== null && (
        <Dialog title={shown.path} onClose={() => setShown(null)}>
          <div className="node-details">
            <FileText run={run} file={shown} />
          </div>
          <div className="actions dialog-actions">
            <button type="button" onClick={() => setShown(null)}>
              Close
            </button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

const depth = ({ path }: Artifact) => Number(path.includes('/'));

function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
