import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';

/** What a receiver saw of one request. */
export interface Hit {
  method: string;
  url: string;
  /** When its headers had come. */
  arrivedAt: Date;
  /** The address of this machine the request came in at. */
  at: string;
  rawHeaders: string[];
  body: Buffer;
}

export interface Receiver {
  port: number;
  url: string;
  hits: Hit[];
  connections: () => number;
  close: () => Promise<void>;
}

/** A real HTTP receiver on every address of this machine. `answer` is called once the body has arrived. */
export async function startReceiver(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
): Promise<Receiver> {
  const hits: Hit[] = [];
  const listener: RequestListener = async (request, response) => {
    const arrivedAt = new Date();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', rawHeaders, socket } = request;
    hits.push({
      method,
      url,
      arrivedAt,
      at: socket.localAddress ?? '',
      rawHeaders,
      body: Buffer.concat(chunks),
    });
    answer(response, request);
  };
  return { ...(await listen(createServer(listener))), hits };
}

/** Listens on every IPv4 address and closes with whatever connections are open. */
export async function listen(server: Server): Promise<Omit<Receiver, 'hits'>> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/hook`,
    connections: () => connections,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
