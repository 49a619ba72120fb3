import type { Config } from '../config.ts';

/** Where browsers find the server, for links to it: as the settings say, or where this very request found it. */
export function ownUrl(
  { DCTL_PUBLIC_URL: publicUrl }: Config,
  { header, isSecure }: { header(name: string): string | undefined; isSecure: boolean },
): string {
  if (publicUrl !== undefined) return publicUrl;
  return `${isSecure ? 'https' : 'http'}://${header('host') ?? 'localhost'}`;
}
