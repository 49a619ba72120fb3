import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';

export interface ContainerEvent {
  action: 'create' | 'start' | 'die' | 'destroy';
  containerId: string;
  runId: string;
  /** Of the claim under which the container was made. Null: it was not made by a worker. */
  fence: number | null;
  /** Of one that died. */
  exitCode: number | null;
  /** Nanoseconds, by the engine's clock. */
  at: bigint;
}

export interface ContainerWatch {
  /** What became of runs' containers since the watch began, in the engine's order. */
  events: ContainerEvent[];
  /** Likewise of those that were made ahead: `runId` says nothing of them. */
  warm: (ContainerEvent & { installationId: string })[];
  close(): void;
}

const againMs = 200;

/** Hears of every run's container from now on. An engine that goes away is listened to again when it is back. */
export async function watchContainers(docker: Docker): Promise<ContainerWatch> {
  const events: ContainerEvent[] = [];
  const warm: ContainerWatch['warm'] = [];
  let since: number | undefined;
  let isClosed = false;
  let stream: Readable | undefined;

  const listen = async () => {
    stream = (await docker.getEvents({
      ...(since === undefined ? {} : { since }),
      filters: {
        type: ['container'],
        event: ['create', 'start', 'die', 'destroy'],
      },
    })) as Readable;
    if (isClosed) return void stream.destroy();
    stream.on('error', () => undefined);
    stream.once('close', () => void listenAgain());
    createInterface({ input: stream })
      .on('error', () => undefined)
      .on('line', (line) => {
        const event = JSON.parse(line) as EngineEvent;
        since = event.time;
        const read = readEvent(line, event);
        const { 'dctl.run_id': runId, 'dctl.warm': isWarm } = event.Actor.Attributes;
        const installationId = event.Actor.Attributes['dctl.installation_id'] ?? '';
        // Those of the second in which the connection broke come twice.
        if (runId !== undefined && !events.some((each) => isSame(each, read))) events.push(read);
        if (isWarm !== undefined && !warm.some((each) => isSame(each, read))) {
          warm.push({ ...read, installationId });
        }
      });
  };
  const listenAgain = async (): Promise<void> => {
    await delay(againMs, undefined, { ref: false });
    if (isClosed) return;
    // It is still away.
    await listen().catch(listenAgain);
  };

  await listen();
  return {
    events,
    warm,
    close() {
      isClosed = true;
      stream?.destroy();
    },
  };
}

/** The shim's exit code when it was not told what to run: then nothing of the project was executed. */
export const noMessage = 75;

/** The starts of containers in which something was executed, or may have been. */
export function executions(events: ContainerEvent[]): ContainerEvent[] {
  const idle = new Set(
    events.filter(({ exitCode }) => exitCode === noMessage).map(({ containerId }) => containerId),
  );
  return events.filter(({ action, containerId }) => action === 'start' && !idle.has(containerId));
}

interface EngineEvent {
  Action: ContainerEvent['action'];
  Actor: { ID: string; Attributes: Record<string, string> };
  time: number;
}

function readEvent(line: string, { Action: action, Actor }: EngineEvent): ContainerEvent {
  const fence = Actor.Attributes['dctl.fence'];
  return {
    action,
    containerId: Actor.ID,
    runId: Actor.Attributes['dctl.run_id'] ?? '',
    fence: fence === undefined ? null : Number(fence),
    exitCode: action === 'die' ? Number(Actor.Attributes['exitCode']) : null,
    // Too many digits for JSON.parse.
    at: BigInt(/"timeNano":(\d+)/.exec(line)?.[1] ?? 0),
  };
}

function isSame(one: ContainerEvent, other: ContainerEvent): boolean {
  return one.at === other.at && one.action === other.action && one.containerId === other.containerId;
}
