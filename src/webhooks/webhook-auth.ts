import { webhookUrlProblem, type Cidr } from '../addresses.ts';
import { invalidField } from '../errors.ts';
import type { Secrets } from '../secrets.ts';
import { hiddenValue } from '../text.ts';
import { airflowApi } from './payload.ts';
import type { WebhookAuth } from './schema.ts';

/** How a webhook's receiver is signed in to: Airflow 3 gives a token for a name and a password. Kept sealed as a whole. */
export interface AirflowAuth {
  type: 'airflow_jwt';
  tokenUrl: string;
  username: string;
  password: string;
}

/**
 * The job's sign-in after a change. Like its headers it does not go along to another host, and a hidden password is
 * never sent to another place than the one it was given for.
 */
export function changedAuth(
  known: AirflowAuth | null,
  wanted: WebhookAuth | null | undefined,
  webhook: { url: string | null; hasAuthorization: boolean; isSameHost: boolean },
  allowCidrs: readonly Cidr[],
  fields: AuthFields = fieldsOfJob,
): AirflowAuth | null {
  const refuse = (pointer: string, detail: string): never => {
    throw invalidField(`/${fields.auth}${pointer}`, detail);
  };
  const { url, hasAuthorization, isSameHost } = webhook;
  const kept = isSameHost ? known : null;
  if (wanted === null || (wanted === undefined && kept === null)) return null;
  if (url === null) return refuse('', `Give the ${fields.url} first: its receiver is the one to sign in to.`);
  if (airflowApi(url) !== 'v2') {
    return refuse(
      '/type',
      `airflow_jwt is for a ${fields.url} with the path /api/v2/dags/{dag_id}/dagRuns (Airflow 3): change that, or set ${fields.auth} to null.`,
    );
  }
  if (hasAuthorization)
    return refuse(
      '',
      `Remove Authorization from ${fields.headers}, or set ${fields.auth} to null: only one can be sent.`,
    );
  if (wanted === undefined) return kept;

  const tokenUrl = wanted.token_url ?? `${new URL(url).origin}/auth/token`;
  const instead = `they are username and password of ${fields.auth}`;
  const problem = webhookUrlProblem(tokenUrl, allowCidrs, instead);
  if (problem !== null) return refuse('/token_url', problem);
  return {
    type: wanted.type,
    tokenUrl,
    username: wanted.username,
    password: wanted.password === hiddenValue ? keptPassword() : wanted.password,
  };

  function keptPassword(): string {
    if (kept !== null && new URL(kept.tokenUrl).origin === new URL(tokenUrl).origin) return kept.password;
    return refuse('/password', 'Send the password: none is stored for this token_url.');
  }
}

/** What the caller's body calls them. */
export interface AuthFields {
  url: string;
  headers: string;
  auth: string;
}
const fieldsOfJob: AuthFields = { url: 'webhook_url', headers: 'webhook_headers', auth: 'webhook_auth' };

export function sealAuth(auth: AirflowAuth | null, place: string, secrets: Secrets): string | null {
  return auth === null ? null : secrets.seal(JSON.stringify(auth), place);
}

export function openAuth(sealed: string | null, place: string, secrets: Secrets): AirflowAuth | null {
  return sealed === null ? null : (JSON.parse(secrets.open(sealed, place)) as AirflowAuth);
}

/** As callers see it. */
export function authView(auth: AirflowAuth | null): WebhookAuth | null {
  if (auth === null) return null;
  const { type, tokenUrl, username } = auth;
  return { type, token_url: tokenUrl, username, password: hiddenValue };
}
