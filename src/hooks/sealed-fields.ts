import type { Secrets } from '../secrets.ts';
import { openAuth, sealAuth, type AirflowAuth } from '../webhooks/webhook-auth.ts';

type Sealed = { id: string; headers: string; auth: string | null };

/** Where a secret's value is sealed for. */
export const secretPlace = (id: string) => `orchestration_secrets:${id}:value`;
const headersPlace = (id: string) => `hooks:${id}:headers`;
const authPlace = (id: string) => `hooks:${id}:auth`;

export const sealFields = (
  id: string,
  { headers, auth }: { headers: Record<string, string>; auth: AirflowAuth | null },
  secrets: Secrets,
) => ({
  headers: secrets.seal(JSON.stringify(headers), headersPlace(id)),
  auth: sealAuth(auth, authPlace(id), secrets),
});

/** The templates of a hook's headers. */
export const openHeaders = ({ id, headers }: Omit<Sealed, 'auth'>, secrets: Secrets) =>
  JSON.parse(secrets.open(headers, headersPlace(id))) as Record<string, string>;

/** How its receiver is signed in to; null: by nothing but the headers. */
export const openSignIn = ({ id, auth }: Omit<Sealed, 'headers'>, secrets: Secrets) =>
  openAuth(auth, authPlace(id), secrets);
