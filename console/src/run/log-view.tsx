import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, useState, type FormEvent } from 'react';
import { Link, useLocation, useNavigate, useSearchParams } from 'react-router';
import type { Run } from '../../../client/operations.ts';
import { Problem } from '../parts/problem.tsx';
import { useRested } from '../parts/rested.ts';
import { piecesOf } from './ansi.ts';
import { download } from './download.ts';
import { linesOfInterest } from './log-lines.ts';
import type { LogLine } from './run-log.ts';
import { useLog } from './use-log.ts';

const lineHeight = 20;

/** What the run prints, as it prints it. */
export function LogView({ run }: { run: Run }) {
  const [asked, setAsked] = useSearchParams();
  const step = run.steps.find(({ number }) => String(number) === asked.get('step'))?.number;
  const log = useLog(run.id, step);
  const level = asked.get('level') === 'error' ? 'error' : asked.get('level') === 'warn' ? 'warn' : 'info';
  const [typed, setTyped] = useState(asked.get('search') ?? '');
  const search = useRested(typed, 150).trim().toLowerCase();
  const interest = useMemo(() => linesOfInterest(log, level, search), [log, level, search]);
  const { shown, found } = interest.upToNow();
  const { hash, search: address } = useLocation();
  const navigate = useNavigate();
  const marked = /^#L(\d{1,8})$/.exec(hash)?.[1];
  const markedLine = marked === undefined ? null : Number(marked) - 1;

  const box = useRef<HTMLDivElement>(null);
  const lines = useVirtualizer({
    count: shown === null ? log.lines.length : shown.length,
    getScrollElement: () => box.current,
    estimateSize: () => lineHeight,
    overscan: 20,
  });
  const count = lines.options.count;
  const lineAt = (row: number) => (shown === null ? row : shown[row]!);
  const rowOf = (line: number) => (shown === null ? line : lowerBound(shown, line));

  // The end stays in view for as long as somebody looks at it.
  const [isAtEnd, setAtEnd] = useState(log.state !== 'ended' && markedLine === null);
  useEffect(() => {
    if (isAtEnd && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [isAtEnd, count]);
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    setAtEnd(scrollHeight - scrollTop - clientHeight < 2 * lineHeight);
  };

  const goTo = (line: number) => {
    setAtEnd(false);
    void navigate({ search: address, hash: `#L${line + 1}` }, { replace: true, preventScrollReset: true });
  };
  // Where the address points, as soon as that is there: until it is in view, and not again.
  const isSought = useRef(false);
  useEffect(() => {
    isSought.current = markedLine !== null;
  }, [markedLine, level]);
  useEffect(() => {
    if (!isSought.current || markedLine === null || markedLine >= log.lines.length) return;
    const row = rowOf(markedLine);
    if (lines.range !== null && lines.range.startIndex <= row && row <= lines.range.endIndex) {
      isSought.current = false;
      box.current?.scrollIntoView({ block: 'nearest' });
    } else lines.scrollToIndex(row, { align: 'center' });
  });

  const change = (name: string, value: string) => {
    const next = new URLSearchParams(asked);
    if (value === '') next.delete(name);
    else next.set(name, value);
    setAsked(next, { replace: true, preventScrollReset: true });
  };
  const [at, setAt] = useState(-1);
  useEffect(() => setAt(-1), [search, level]);
  const goToFound = (by: 1 | -1) => {
    if (found.length === 0) return;
    const next = (at === -1 && by === -1 ? found.length - 1 : at + by + found.length) % found.length;
    setAt(next);
    goTo(found[next]!);
  };
  const onSearch = (event: FormEvent) => {
    event.preventDefault();
    goToFound(1);
  };

  return (
    <section className="log" aria-label="Log">
      <div className="log-tools">
        <form role="search" onSubmit={onSearch}>
          <input
            type="search"
            aria-label="Search the log"
            placeholder="Search log"
            value={typed}
            onChange={({ target }) => setTyped(target.value)}
          />
          {search !== '' && (
            <>
              <span className="quiet" role="status">
                {found.length === 0 ? 'no matches' : `${at === -1 ? '' : `${at + 1} of `}${found.length}`}
              </span>
              <button
                type="button"
                aria-label="Previous match"
                disabled={found.length === 0}
                onClick={() => goToFound(-1)}
              >
                ↑
              </button>
              <button type="submit" aria-label="Next match" disabled={found.length === 0}>
                ↓
              </button>
            </>
          )}
        </form>
        <select
          aria-label="Log level"
          value={level}
          onChange={({ target }) => change('level', target.value === 'info' ? '' : target.value)}
        >
          <option value="info">All levels</option>
          <option value="warn">Warnings and errors ({log.warnings + log.errors})</option>
          <option value="error">Errors ({log.errors})</option>
        </select>
        {run.steps.length > 1 && (
          <select
            aria-label="Step"
            value={step ?? ''}
            onChange={({ target }) => change('step', target.value)}
          >
            <option value="">All steps</option>
            {run.steps.map(({ number, command }) => (
              <option key={number} value={number}>
                {number}: {command}
              </option>
            ))}
          </select>
        )}
        <button type="button" disabled={log.firstError === null} onClick={() => goTo(log.firstError!)}>
          First error
        </button>
        <GoToLine last={log.lines.length} go={goTo} />
        <button
          type="button"
          onClick={() => download(`${run.name}.log`, [log.lines.map(({ plain }) => plain).join('\n')])}
        >
          Download
        </button>
        {log.state !== 'ended' && !isAtEnd && count > 0 && (
          <button type="button" onClick={() => setAtEnd(true)}>
            Follow
          </button>
        )}
      </div>
      {log.state === 'refused' && <Problem error={log.error} />}
      {run.log_truncated && (
        <p className="quiet">The log was too long to keep in full. A line marks where output is missing.</p>
      )}
      <div
        ref={box}
        className="log-lines"
        role="region"
        aria-label="Log lines"
        tabIndex={0}
        onScroll={onScroll}
      >
        <div
          className="log-all"
          style={{ height: lines.getTotalSize(), minWidth: `calc(${log.longest}ch + 9ch)` }}
        >
          {lines.getVirtualItems().map(({ index, start }) => {
            const line = lineAt(index);
            const its = log.lines[line];
            if (its === undefined) return null;
            return (
              <Line
                key={line}
                line={its}
                number={line + 1}
                address={address}
                isMarked={line === markedLine}
                search={search}
                start={start}
              />
            );
          })}
        </div>
      </div>
      <p className="quiet log-foot" role="status">
        {footer(log.state, log.lines.length, count, run.status)}
      </p>
    </section>
  );
}

function footer(state: string, all: number, shown: number, status: Run['status']): string {
  if (state === 'refused') return '';
  const lines = shown === all ? `${all} lines` : `${shown} of ${all} lines`;
  if (state === 'ended') return all === 0 ? 'No output.' : lines;
  if (state === 'cut') return `${lines}. Connection lost, reconnecting…`;
  if (status === 'queued') return 'The log appears when the run starts.';
  return status === 'running' ? `${lines} · live` : lines;
}

const Line = memo(function Line({
  line,
  number,
  address,
  isMarked,
  search,
  start,
}: {
  line: LogLine;
  number: number;
  address: string;
  isMarked: boolean;
  search: string;
  start: number;
}) {
  return (
    <div
      id={`L${number}`}
      className={`log-line log-${line.level}${isMarked ? ' log-marked' : ''}`}
      style={{ transform: `translateY(${start}px)` }}
    >
      {/* With the keyboard a line is reached by "Line", not one after the other. */}
      <Link
        className="log-number"
        to={{ search: address, hash: `#L${number}` }}
        replace
        preventScrollReset
        tabIndex={isMarked ? 0 : -1}
        aria-label={`Link to line ${number}`}
      >
        {number}
      </Link>
      <LineText line={line} search={search} />
    </div>
  );
});

/** With what was searched for marked, or in its colours. */
export function LineText({ line, search }: { line: LogLine; search: string }) {
  if (search !== '' && line.plain.toLowerCase().includes(search)) {
    const lower = line.plain.toLowerCase();
    const pieces = [];
    let from = 0;
    for (let at = lower.indexOf(search); at !== -1; at = lower.indexOf(search, from)) {
      pieces.push(
        line.plain.slice(from, at),
        <mark key={at}>{line.plain.slice(at, at + search.length)}</mark>,
      );
      from = at + search.length;
    }
    return (
      <span className="log-text">
        {pieces}
        {line.plain.slice(from)}
      </span>
    );
  }
  return (
    <span className="log-text">
      {piecesOf(line.raw).map(({ text, looks }, index) =>
        looks === '' ? (
          text
        ) : (
          <span key={index} className={looks}>
            {text}
          </span>
        ),
      )}
    </span>
  );
}

function GoToLine({ last, go }: { last: number; go: (line: number) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const asked = Number(new FormData(event.currentTarget).get('line'));
    if (asked >= 1 && asked <= last) go(asked - 1);
  };
  return (
    <form onSubmit={submit}>
      <input
        name="line"
        aria-label="Go to line"
        placeholder="Line no."
        inputMode="numeric"
        pattern="\d*"
        size={5}
      />
    </form>
  );
}

/** Where `line` stands in the sorted numbers, or the one after it. */
function lowerBound(numbers: number[], line: number): number {
  let [from, to] = [0, numbers.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (numbers[middle]! < line) from = middle + 1;
    else to = middle;
  }
  return Math.min(from, Math.max(0, numbers.length - 1));
}
