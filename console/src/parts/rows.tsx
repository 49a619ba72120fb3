import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { useNarrow } from './narrow.ts';

export interface Column {
  name: string;
  /** As CSS writes a column of a grid. */
  width: string;
  sort?: { now: 'ascending' | 'descending' | 'none'; change: () => void };
}

interface Range {
  from: number;
  to: number;
  isScrolling: boolean;
}

/**
 * A table of any length: only the rows in the window are there. All are of one height; in a narrow window a row's cells
 * stand below each other, and it is `narrowHeight` high.
 */
export function Rows({
  label,
  columns,
  count,
  total = count,
  height,
  narrowHeight,
  row,
  rowClass,
  onRange,
}: {
  label: string;
  columns: Column[];
  count: number;
  /** How many there are, also those that are yet to come. -1: nobody knows. */
  total?: number;
  height: number;
  narrowHeight: number;
  /** One cell a column. */
  row: (index: number) => { key: string; cells: ReactNode };
  rowClass?: (index: number) => string | undefined;
  /** Told which rows are in the window. */
  onRange?: (range: Range) => void;
}) {
  const isNarrow = useNarrow();
  const body = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  // What is above the table may grow at any time.
  useLayoutEffect(() => {
    const place = () => setTop(body.current!.getBoundingClientRect().top + scrollY);
    place();
    const watch = new ResizeObserver(place);
    watch.observe(document.body);
    return () => watch.disconnect();
  }, []);
  const each = isNarrow ? narrowHeight : height;
  const rows = useWindowVirtualizer({
    count,
    estimateSize: () => each,
    overscan: 8,
    scrollMargin: top,
  });
  useEffect(() => rows.measure(), [rows, each]);
  const items = rows.getVirtualItems();
  const [from, to, isScrolling] = [items[0]?.index ?? 0, (items.at(-1)?.index ?? -1) + 1, rows.isScrolling];
  useEffect(() => onRange?.({ from, to, isScrolling }), [onRange, from, to, isScrolling, count]);

  const template = isNarrow ? undefined : columns.map(({ width }) => width).join(' ');
  return (
    <div
      role="table"
      className="rows"
      aria-label={label}
      aria-rowcount={total < 0 ? -1 : total + 1}
      aria-colcount={columns.length}
    >
      <div role="rowgroup" className="rows-head">
        <div role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
          {columns.map(({ name, sort }) => (
            <div key={name} role="columnheader" aria-sort={sort?.now}>
              {sort === undefined ? (
                name
              ) : (
                <button type="button" className="plain" onClick={sort.change}>
                  {name}
                  <span aria-hidden="true">
                    {sort.now === 'ascending' ? ' ↑' : sort.now === 'descending' ? ' ↓' : ''}
                  </span>
                </button>
              )}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" ref={body} className="rows-body" style={{ height: rows.getTotalSize() }}>
        {items.map(({ index, start }) => {
          const { key, cells } = row(index);
          return (
            <div
              key={key}
              role="row"
              aria-rowindex={index + 2}
              className={rowClass?.(index)}
              style={{
                height: each,
                transform: `translateY(${start - top}px)`,
                gridTemplateColumns: template,
              }}
            >
              {cells}
            </div>
          );
        })}
      </div>
    </div>
  );
}

export function Cell({ className, children }: { className?: string; children?: ReactNode }) {
  return (
    <div role="cell" className={className}>
      {children}
    </div>
  );
}
