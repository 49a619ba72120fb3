import { randomUUID } from 'node:crypto';
import type { Context } from '../src/context.ts';
import type { FoundPreparation } from '../src/preparations/store.ts';
import type { Basis } from './dbt/basis.ts';
import { unnamedSpec } from './dbt/container-spec.ts';
import { ProtocolReader } from './dbt/protocol.ts';
import {
  installationLabel,
  warmLabel,
  type Executor,
  type Output,
  type Session,
} from './executors/executor.ts';
import type { OpenedBasis } from './run-environment.ts';
import { runFiles } from './run-files.ts';

/** Parsing ahead says next to nothing. What says more than this is kept from filling our memory. */
const maxSaidBytes = 1024 * 1024;
/** Longer than any project takes to be imported and parsed. */
const warmMs = 180_000;

/** For which runs a container is made ahead: of equal fit, and best of these options. */
export interface WarmFor {
  basis: Basis;
  opened: OpenedBasis;
  prepared: FoundPreparation | null;
  /** Null: nothing is parsed ahead. */
  options: string[] | null;
}

/**
 * Makes a container for whichever run of the basis comes first, exactly as one is made for a run, starts it and has it
 * import dbt and parse the project. Throws `CouldNotStart`, and leaves none behind then.
 */
export async function startWarmContainer(
  { context, executor, shimTar }: { context: Context; executor: Executor; shimTar: Buffer },
  wanted: WarmFor,
): Promise<WarmContainer> {
  const { basis, opened, options, prepared } = wanted;
  const name = `dctl-warm-${randomUUID()}`;
  const labels = {
    [warmLabel]: 'true',
    [installationLabel]: basis.installationId,
    'dctl.organization_id': basis.organizationId,
  };
  const spec = { name, labels, ...unnamedSpec(basis, context.config), yields: true };
  try {
    const files = runFiles(context, basis.deploymentId, { shimTar, prepared, ...opened });
    const { containerId } = await executor.create(spec, files);
    const session = await executor.open(containerId);
    await session.send(JSON.stringify({ warm: { options, env: opened.variables } }));
    return new WarmContainer(containerId, session, wanted);
  } catch (error) {
    await executor.remove(name).catch(() => undefined);
    throw error;
  }
}

type Piece = Output extends AsyncIterable<infer Each> ? Each : never;

/** A container that was made ahead, from its start until a run has it or it is over. */
export class WarmContainer {
  readonly containerId: string;
  readonly fit: string | null;
  readonly options: string[] | null;
  /** Resolves when it is ready, a run's, or over. */
  readonly settled: Promise<void>;
  /** Resolves when its output ends: it has died, or cannot be reached. */
  readonly ended: Promise<void>;
  readonly #session: Session;
  readonly #settle: () => void;
  readonly #startedAt = performance.now();
  readonly #said: Piece[] = [];
  readonly #reading: AsyncIterator<Piece>;
  #next: Promise<IteratorResult<Piece>>;
  #state: 'warming' | 'ready' | 'taken' | 'over' = 'warming';
  #hasEnded = false;

  constructor(containerId: string, session: Session, { opened, options }: WarmFor) {
    this.containerId = containerId;
    this.fit = opened.fit;
    this.options = options;
    this.#session = session;
    this.#reading = session.output[Symbol.asyncIterator]();
    this.#next = this.#reading.next();
    const settled = Promise.withResolvers<void>();
    this.settled = settled.promise;
    this.#settle = settled.resolve;
    this.ended = this.#listen().finally(this.#settle);
    const late = setTimeout(() => this.#state === 'warming' && this.giveUp(), warmMs);
    void this.settled.then(() => clearTimeout(late));
  }

  /** 'warming': it may be taken as well, and begins with the run as soon as it is ready. */
  get state(): 'warming' | 'ready' | 'taken' | 'over' {
    return this.#state;
  }

  get ageMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Whether nothing that it is told now arrives. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** From now on it is a run's, and nobody else ends it. */
  take(): void {
    this.#state = 'taken';
    this.#settle();
  }

  send(line: string): Promise<void> {
    return this.#session.send(line);
  }

  /** All that it has said and says, once. It ends with an error when the signal aborts; the container goes on. */
  output(letGo: AbortSignal): Output {
    this.#session.endWith(letGo);
    return this.#output();
  }

  /** Ends its stdin: what was not told anything ends by itself, having run nothing. */
  giveUp(): void {
    this.#state = 'over';
    this.#session.end();
  }

  async *#output(): Output {
    yield* this.#said;
    for (let next = await this.#next; next.done !== true; next = await this.#reading.next()) yield next.value;
  }

  async #listen(): Promise<void> {
    const protocol = new ProtocolReader();
    let saidBytes = 0;
    for (;;) {
      const next = await this.#next.catch(() => null);
      if (next === null || next.done === true) {
        this.#hasEnded = true;
        if (this.#state !== 'taken') this.#state = 'over';
        return;
      }
      // What has come is the first that the run gets.
      if (this.#state === 'taken') return;
      const { stream, content } = next.value;
      this.#said.push(next.value);
      saidBytes += content.length;
      if (saidBytes > maxSaidBytes) this.giveUp();
      const events = stream === 'protocol' ? protocol.read(content) : [];
      if (this.#state === 'warming' && events.some(({ event }) => event === 'warmed')) {
        this.#state = 'ready';
        this.#settle();
      }
      this.#next = this.#reading.next();
    }
  }
}
