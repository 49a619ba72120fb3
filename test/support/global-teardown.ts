/** Once after all tests: ends what the set-up started. */
export default async function tearDown(): Promise<void> {
  const { stopTestServers = [] } = globalThis as { stopTestServers?: (() => Promise<void>)[] };
  for (const stop of stopTestServers) await stop();
}
