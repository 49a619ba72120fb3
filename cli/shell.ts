import type { ReadStream } from 'node:tty';
import type { DctlClient } from '../client/index.ts';
import type { Output } from './output/output.ts';
import type { Host, Hosts } from './settings/hosts.ts';

/** What a command works with. */
export interface Shell {
  out: Output;
  input: ReadStream;
  environment: NodeJS.ProcessEnv;
  /** The working directory. */
  folder: string;
  version: string;
  /** Of Ctrl-C. */
  signal: AbortSignal;
  hosts: Hosts;
  /** The server that is meant. Throws where none is known. */
  host: () => Host;
  /** Its API, until Ctrl-C. */
  client: () => DctlClient;
  /** Of the same server, for what is still to be done after Ctrl-C; or of one that is only being tried. */
  connect: (host: Host) => DctlClient;
}
