import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to the Docker engine over TCP, which a test can block. */
export interface DockerProxy {
  /** For DOCKER_HOST. */
  host: string;
  port: number;
  /** From now on, what begins with a line that matches does not arrive. Resolves when the first of it is held. */
  hold(request: RegExp): Promise<void>;
  /** Lets through what is held, and all that comes. */
  release(): void;
  close(): Promise<void>;
}

export async function startDockerProxy(port = 0): Promise<DockerProxy> {
  const sockets = new Set<Socket>();
  let held: { request: RegExp; resolve: () => void } | undefined;
  let waiting: (() => void)[] = [];
  const released: (() => void)[] = [];
  const server = createServer((client) => {
    const engine = connectToEngine();
    for (const socket of [client, engine]) sockets.add(socket.on('error', () => undefined));
    client.on('close', () => engine.destroy());
    engine.on('close', () => client.destroy());
    engine.pipe(client);
    let isHeld = false;
    client.on('data', (chunk) => {
      // A request begins with a piece of its own: the client waits for the answer before it sends the next.
      const [firstLine = ''] = chunk.subarray(0, 300).toString('latin1').split('\r\n', 1);
      if (held?.request.test(firstLine)) {
        isHeld = true;
        held.resolve();
      }
      if (isHeld) waiting.push(() => engine.write(chunk));
      else engine.write(chunk);
    });
    released.push(() => (isHeld = false));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    host: `tcp://127.0.0.1:${address.port}`,
    port: address.port,
    hold: (request) => new Promise((resolve) => (held = { request, resolve })),
    release: () => {
      held = undefined;
      for (const letGo of released) letGo();
      for (const send of waiting) send();
      waiting = [];
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function connectToEngine(): Socket {
  const { protocol, hostname, port, pathname } = new URL(
    process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock',
  );
  return protocol === 'unix:' ? connect(pathname) : connect(Number(port), hostname);
}
