import { readFileSync } from 'node:fs';
import Sequencer from '@jest/test-sequencer';

/**
 * The order of test files: what takes a minute first, what takes a moment last, so that both of jest's workers have
 * something to do until the end. How long each took last time is not known in a fresh clone.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    return Array.from(tests, (each) => ({ each, weight: weightOf(each.path) }))
      .toSorted((a, b) => b.weight - a.weight || (a.each.path < b.each.path ? -1 : 1))
      .map(({ each }) => each);
  }
}

/** More for files that wait for things to die and be found, or for an Airflow, or for runs in containers; then by length. */
function weightOf(path) {
  const text = readFileSync(path, 'utf8');
  const isLong = path.includes('/test/faults/') || /startAirflow\(/.test(text);
  const hasRuns = /start(Client|Loaded)?System\((?!\{ workers: 0)|startWorker\(/.test(text);
  return (/ soak\(/.test(text) ? 4e6 : 0) + (isLong ? 2e6 : 0) + (hasRuns ? 1e6 : 0) + text.length;
}
