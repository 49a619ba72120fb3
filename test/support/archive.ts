import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';

export type Entry = Partial<Header> & { name: string; content?: string | Buffer };

/** The smallest folder dbt takes for a project. */
export const smallProject: Entry[] = [
  { name: 'dbt_project.yml', content: "name: small\nversion: '1.0'\nprofile: small\n" },
  { name: 'models/one.sql', content: 'select 1 as id' },
];

/** A tar of exactly these entries, whatever they are. */
export async function tarOf(entries: Entry[]): Promise<Buffer> {
  const archive = pack();
  const whole = buffer(archive);
  for (const { content, ...header } of entries) {
    if (content === undefined) archive.entry(header);
    else archive.entry(header, content);
  }
  archive.finalize();
  return whole;
}

export async function archiveOf(entries: Entry[]): Promise<Buffer> {
  return gzipSync(await tarOf(entries));
}
