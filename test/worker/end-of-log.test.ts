import { expect, test } from '@jest/globals';
import { endOfLog, upToEndMark } from '../../worker/end-of-log.ts';
import type { Output } from '../../worker/executors/executor.ts';

const mark = endOfLog('a-run');
const finished = { stream: 'protocol', content: Buffer.from('finished\n') } as const;

test('wherever its bytes are cut, a log is whole up to its mark, and nothing is waited for behind it', async () => {
  const text = `one\ntwo \0dctl: end\0\0${mark}`;
  for (let cut = 0; cut <= text.length; cut += 1) {
    const pieces = [text.slice(0, cut), text.slice(cut)].map((part) => log(part));
    expect(await read([...pieces, finished])).toBe('one\ntwo \0dctl: end\0\0');
    expect(await read([finished, ...pieces])).toBe('one\ntwo \0dctl: end\0\0');
  }
});

test('the mark alone ends nothing: what comes before the last word of the shim is read', async () => {
  expect(await read([log(`a${mark}`), log('b'), finished])).toBe('ab');
});

test('a log that ends without its mark is whole', async () => {
  expect(await read([log('a\0'), log('dctl')], 'and ends')).toBe('a\0dctl');
});

function log(text: string) {
  return { stream: 'log', content: Buffer.from(text) } as const;
}

/** The log's text. Fails where more is asked for than is there. */
async function read(
  pieces: { stream: 'log' | 'protocol'; content: Buffer }[],
  after = 'and goes on',
): Promise<string> {
  async function* coming(): Output {
    yield* pieces;
    if (after === 'and goes on') throw new Error('more was waited for');
  }
  let text = '';
  let hasFinished = false;
  for await (const { stream, content } of upToEndMark(coming(), mark, () => hasFinished)) {
    if (stream === 'log') text += content.toString();
    else hasFinished = true;
  }
  return text;
}
