import { lookup } from 'node:dns/promises';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { addressVerdict, blockedSentence, webhookUrlProblem } from '../src/addresses.ts';
import type { Cidr } from '../src/addresses.ts';
import type { PostOutcome } from '../src/webhooks/attempt.ts';

export interface ResolvedAddress {
  address: string;
  family: 4 | 6;
}

/** All addresses of a host name. Rejects with an error that has a `code` when there are none. */
export type Resolve = (hostname: string) => Promise<ResolvedAddress[]>;

export interface Post {
  url: string;
  /** POST when left out. */
  method?: string;
  headers: Record<string, string>;
  /** Null: none is sent, nor said to be. */
  body: Buffer | null;
  /** Ranges beyond public addresses that the operator opened. */
  allowCidrs: readonly Cidr[];
  /** For all of it: name look-up, connection, TLS, request and answer. */
  timeoutMs?: number;
  /** How much of an answer is read before the connection is closed. */
  maxAnswerBytes?: number;
  /** How much of it is handed back. */
  keptAnswerBytes?: number;
  /** Texts that are masked when the receiver repeats them in its answer: the values of secret headers. */
  hide?: readonly string[];
  resolve?: Resolve;
  signal?: AbortSignal;
}

/** Fewer characters of a secret at the end of an answer are taken for chance. */
const shortestCutSecret = 4;

/**
 * Asks a URL that a user chose once, with POST if not told otherwise, and only to addresses that webhooks may reach. The name is resolved a single
 * time, inside the socket, and the connection goes to the addresses judged there: a second look-up could answer
 * differently. node:http sends nothing twice, follows no redirect and, with an agent of our own, asks no proxy.
 *
 * Rejects only when `signal` aborts; the receiver may have got the request by then.
 */
export async function postOnce(post: Post): Promise<PostOutcome> {
  post.signal?.throwIfAborted();
  const problem = webhookUrlProblem(post.url, post.allowCidrs);
  if (problem !== null) return { kind: 'blocked', reason: problem };

  const startedAt = performance.now();
  const progress: Progress = { phase: 'preparing', status: null, chunks: [], bytes: 0, isWhole: false };
  const timeLimit = new AbortController();
  const timer = setTimeout(() => timeLimit.abort(), post.timeoutMs ?? 10_000);
  const stop = post.signal ? AbortSignal.any([post.signal, timeLimit.signal]) : timeLimit.signal;

  try {
    const status = await exchange(post, progress, stop);
    return {
      kind: 'answered',
      status,
      durationMs: since(startedAt),
      answer: keptAnswer(progress, post),
    };
  } catch (error) {
    post.signal?.throwIfAborted();
    const durationMs = since(startedAt);
    if (timeLimit.signal.aborted) {
      return {
        kind: 'timed_out',
        status: progress.status,
        durationMs,
        answer: keptAnswer(progress, post),
      };
    }
    if (error instanceof BlockedAddress) return { kind: 'blocked', reason: error.message };
    return { kind: 'failed', durationMs, reason: failure(progress.phase, error) };
  } finally {
    clearTimeout(timer);
  }
}

/** How far a request has come, for whoever has to say why it went no further. */
interface Progress {
  phase: 'preparing' | 'resolving' | 'connecting' | 'securing' | 'waiting';
  status: number | null;
  chunks: Buffer[];
  bytes: number;
  /** Whether the answer was read to its end. */
  isWhole: boolean;
}

class BlockedAddress extends Error {}

/** Resolves with the status once the answer has ended, was read as far as we care, or broke off after its head. */
function exchange(post: Post, progress: Progress, stop: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const maxAnswerBytes = post.maxAnswerBytes ?? 65_536;
  let request: ClientRequest | undefined;
  // Whatever comes after the head of an answer, its status is what the receiver said.
  const settle = (error?: Error) => (progress.status === null ? reject(error) : resolve(progress.status));
  const onStop = () => reject(stop.reason);
  stop.addEventListener('abort', onStop, { once: true });

  const onAnswer = (answer: IncomingMessage) => {
    progress.status = answer.statusCode ?? 0;
    answer.on('data', (chunk: Buffer) => {
      progress.chunks.push(chunk.subarray(0, Math.max(0, maxAnswerBytes - progress.bytes)));
      progress.bytes += chunk.length;
      if (progress.bytes >= maxAnswerBytes) settle();
    });
    answer.on('end', () => (progress.isWhole = true));
    answer.on('error', settle).on('close', settle);
  };
  const onClose = () => {
    if (progress.status === null) reject(new Error('closed'));
  };

  try {
    request = open(post, progress);
    request.on('response', onAnswer).on('error', settle).on('close', onClose);
    request.end(post.body ?? undefined);
  } catch (error) {
    reject(error);
  }
  return promise.finally(() => {
    stop.removeEventListener('abort', onStop);
    request?.destroy();
  });
}

function open(post: Post, progress: Progress): ClientRequest {
  const url = new URL(post.url);
  const isSecure = url.protocol === 'https:';
  const options = {
    method: post.method ?? 'POST',
    headers: post.body === null ? post.headers : { ...post.headers, 'Content-Length': post.body.length },
    lookup: judgedLookup(post, progress),
    // The default of 250 ms gives up on a distant host that has more than one address.
    autoSelectFamilyAttemptTimeout: 2000,
  };
  const request = isSecure
    ? httpsRequest(url, { ...options, agent: new HttpsAgent({ keepAlive: false }), rejectUnauthorized: true })
    : httpRequest(url, { ...options, agent: new HttpAgent({ keepAlive: false }) });

  request.on('socket', (socket) => {
    // An IP literal needs no look-up: it was judged with the URL.
    if (progress.phase === 'preparing') progress.phase = 'connecting';
    socket.on('connect', () => (progress.phase = isSecure ? 'securing' : 'waiting'));
    socket.on('secureConnect', () => (progress.phase = 'waiting'));
  });
  return request;
}

/** The socket's name look-up: every address must pass, or none is connected to. */
function judgedLookup(post: Post, progress: Progress): LookupFunction {
  const resolve = post.resolve ?? systemResolve;
  return (hostname, options, callback) => {
    progress.phase = 'resolving';
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first) return callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
        for (const { address } of addresses) {
          const judged = addressVerdict(address, post.allowCidrs);
          if (judged.blocked) return callback(new BlockedAddress(blockedSentence(judged)), '');
        }
        progress.phase = 'connecting';
        if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

async function systemResolve(hostname: string): Promise<ResolvedAddress[]> {
  const found = await lookup(hostname, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

/** A fixed sentence and the system's code: an error's own message can hold what was sent. */
function failure(phase: Progress['phase'], error: unknown): string {
  const code = codeOf(error);
  switch (phase) {
    case 'preparing':
      return `The request could not be put together (${code}).`;
    case 'resolving':
      return `The name of the host could not be resolved (${code}).`;
    case 'connecting':
      return `No connection to the host could be made (${code}).`;
    case 'securing':
      return `The TLS connection could not be made (${code}).`;
    case 'waiting':
      return code.startsWith('HPE_')
        ? `What came back is not an HTTP answer (${code}).`
        : `The connection ended before an answer came (${code}).`;
  }
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : 'no code';
}

/** The start of the answer as text that a database and a terminal can hold. */
function keptAnswer(
  { chunks, isWhole }: Progress,
  { hide = [], keptAnswerBytes = 2_048 }: Pick<Post, 'hide' | 'keptAnswerBytes'>,
): string {
  // As a stream: a character cut in two at the end is dropped, not replaced.
  const decoder = new TextDecoder();
  const text = decoder.decode(Buffer.concat(chunks), { stream: true }).replaceAll(/(?![\n\t])\p{Cc}/gu, '');
  const masked = hide.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '***')), text);
  const kept = isWhole ? masked : maskCutSecret(masked, hide);
  return new TextDecoder().decode(Buffer.from(kept).subarray(0, keptAnswerBytes), { stream: true });
}

/** Where reading stopped in the middle of a secret, its beginning would be readable. */
function maskCutSecret(text: string, hide: readonly string[]): string {
  const cutLengths = hide.map((secret) => {
    let length = Math.min(secret.length - 1, text.length);
    while (length > 0 && !text.endsWith(secret.slice(0, length))) length -= 1;
    return length;
  });
  const longest = Math.max(0, ...cutLengths);
  return longest < shortestCutSecret ? text : `${text.slice(0, -longest)}***`;
}

function since(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
