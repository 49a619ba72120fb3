import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** A TCP line to somewhere else that a test can break. */
export interface Proxy {
  port: number;
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Keeps connections open and takes new ones, but lets no byte through. */
  stall(): void;
  /** Lets requests through; where an answer begins, the connection ends. */
  loseAnswers(): void;
  /** As it was at first. Connections that were stalled go on. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

export async function startProxy(
  target: { host: string; port: number },
  { host = '127.0.0.1' }: { host?: string } = {},
): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let stalled = false;
  let losing = false;
  const server = createServer((near) => {
    const far = connect(target);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (chunk: Buffer) => {
        if (losing && from === far) near.destroy();
        else to.write(chunk);
      });
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      if (stalled) from.pause();
    }
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, host, resolve));
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;

  return {
    port,
    cut: stop,
    stall() {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    loseAnswers() {
      losing = true;
    },
    async mend() {
      stalled = false;
      losing = false;
      for (const socket of sockets) socket.resume();
      if (!server.listening) await listen(port);
    },
    async close() {
      if (server.listening) await stop();
    },
  };
}
