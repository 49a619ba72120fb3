import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import type { Resolve } from '../../worker/safe-fetch.ts';

export interface DnsServer {
  /** Resolves names through this server only. */
  resolve: Resolve;
  queries: () => number;
  close: () => Promise<void>;
}

/** A UDP name server that gives its answers in turn, the last one for ever. Each answer is a set of IPv4 addresses. */
export async function startDnsServer(...answers: string[][]): Promise<DnsServer> {
  let queries = 0;
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const addresses = answers[Math.min(queries, answers.length - 1)] ?? [];
    queries += 1;
    socket.send(answerTo(query, addresses), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));

  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    resolve: async (hostname) => {
      const addresses = await resolver.resolve4(hostname);
      return addresses.map((address) => ({ address, family: 4 }));
    },
    queries: () => queries,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** RFC 1035: the query's id and question, then one A record each with a time to live of 0. No records: NXDOMAIN. */
function answerTo(query: Buffer, addresses: string[]): Buffer {
  const endOfName = query.indexOf(0, 12) + 1;
  const question = query.subarray(12, endOfName + 4);
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(addresses.length > 0 ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([header, question, ...records]);
}
