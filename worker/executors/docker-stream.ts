import type { Output } from './executor.ts';

const headerBytes = 8;
const protocolSource = 2;

/**
 * Docker's multiplexed stream (8 bytes of header: source and length; then that many bytes) as pieces.
 * One piece is asked for at a time, so a slow reader slows Docker, and through it the container, down.
 */
export async function* demultiplex(stream: AsyncIterable<Buffer>): Output {
  let waiting: Buffer = Buffer.alloc(0);
  let source = 0;
  let missing = 0;
  for await (const chunk of stream) {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    while (waiting.length > 0) {
      if (missing === 0) {
        if (waiting.length < headerBytes) break;
        source = waiting.readUInt8(0);
        missing = waiting.readUInt32BE(4);
        waiting = waiting.subarray(headerBytes);
        continue;
      }
      const content = waiting.subarray(0, missing);
      waiting = waiting.subarray(content.length);
      missing -= content.length;
      yield { stream: source === protocolSource ? 'protocol' : 'log', content };
    }
  }
}
