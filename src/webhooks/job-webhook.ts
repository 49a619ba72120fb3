import type { Secrets } from '../secrets.ts';
import { invalidField } from '../errors.ts';
import { hiddenValue } from '../text.ts';
import { webhookUrlProblem, type Cidr } from '../addresses.ts';
import type { WebhookSettings } from './schema.ts';
import { newWebhookSecret } from './sign.ts';
import { authView, changedAuth, openAuth, sealAuth, type AirflowAuth } from './webhook-auth.ts';

/** A job's webhook as it is stored. `webhookHeaders`, `webhookAuth` and the secrets are sealed. */
export interface JobWebhook {
  webhookEnabled: boolean;
  webhookUrl: string | null;
  webhookEvents: string[];
  webhookHeaders: string | null;
  webhookAuth: string | null;
  webhookSecret: string | null;
  /** What the secret was before it was changed: webhooks are signed with both until then. */
  webhookOldSecret: string | null;
  webhookOldSecretUntil: Date | null;
}

export const noWebhook: JobWebhook = {
  webhookEnabled: false,
  webhookUrl: null,
  webhookEvents: [],
  webhookHeaders: null,
  webhookAuth: null,
  webhookSecret: null,
  webhookOldSecret: null,
  webhookOldSecretUntil: null,
};

/**
 * The job's webhook after a change. A new URL gets a new signing secret; a new host also loses the stored headers and
 * the sign-in unless they are sent again, so that nobody can point another's credentials at a host of their own.
 */
export function changedWebhook(
  current: JobWebhook,
  change: { [Field in keyof WebhookSettings]?: WebhookSettings[Field] | undefined },
  { jobId, secrets, allowCidrs }: { jobId: string; secrets: Secrets; allowCidrs: readonly Cidr[] },
): JobWebhook {
  const url = change.webhook_url === undefined ? current.webhookUrl : change.webhook_url;
  const problem =
    typeof change.webhook_url === 'string' ? webhookUrlProblem(change.webhook_url, allowCidrs) : null;
  if (problem !== null) refuse('webhook_url', problem);
  const enabled = change.webhook_enabled ?? current.webhookEnabled;
  if (enabled && url === null)
    refuse('webhook_url', 'Give the URL that webhooks go to, or set webhook_enabled to false.');

  const stored = openHeaders(current, jobId, secrets);
  const isSameHost = originOf(url) === originOf(current.webhookUrl);
  const known = isSameHost ? stored : {};
  const headers =
    change.webhook_headers === undefined ? known : withHiddenValues(change.webhook_headers, known);
  const hasAuthorization = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  const auth = changedAuth(
    openSignIn(current, jobId, secrets),
    change.webhook_auth,
    { url, hasAuthorization, isSameHost },
    allowCidrs,
  );
  const isSameUrl = url !== null && url === current.webhookUrl && current.webhookSecret !== null;
  return {
    webhookEnabled: enabled,
    webhookUrl: url,
    webhookEvents: change.webhook_events ?? current.webhookEvents,
    webhookHeaders:
      Object.keys(headers).length === 0 ? null : secrets.seal(JSON.stringify(headers), headersPlace(jobId)),
    webhookAuth: sealAuth(auth, authPlace(jobId), secrets),
    webhookSecret:
      url === null
        ? null
        : isSameUrl
          ? current.webhookSecret
          : secrets.seal(newWebhookSecret(), secretPlace(jobId)),
    webhookOldSecret: isSameUrl ? current.webhookOldSecret : null,
    webhookOldSecretUntil: isSameUrl ? current.webhookOldSecretUntil : null,
  };
}

/**
 * Another secret for a webhook that has one; `overlapMs`: how long the one before it signs as well. Of several changes in
 * a short time the last two secrets are kept.
 */
export function rotatedSecret(
  current: JobWebhook,
  { jobId, secrets, overlapMs }: { jobId: string; secrets: Secrets; overlapMs: number },
): Pick<JobWebhook, 'webhookSecret' | 'webhookOldSecret' | 'webhookOldSecretUntil'> & { secret: string } {
  const old = openSecret(current, jobId, secrets);
  const secret = newWebhookSecret();
  const isKept = old !== null && overlapMs > 0;
  return {
    secret,
    webhookSecret: secrets.seal(secret, secretPlace(jobId)),
    webhookOldSecret: isKept ? secrets.seal(old, oldSecretPlace(jobId)) : null,
    webhookOldSecretUntil: isKept ? new Date(Date.now() + overlapMs) : null,
  };
}

/** The user's headers with their values. */
export function openHeaders(webhook: JobWebhook, jobId: string, secrets: Secrets): Record<string, string> {
  if (webhook.webhookHeaders === null) return {};
  return JSON.parse(secrets.open(webhook.webhookHeaders, headersPlace(jobId))) as Record<string, string>;
}

/** How its receiver is signed in to, opened; null: by nothing but the headers. */
export function openSignIn(webhook: JobWebhook, jobId: string, secrets: Secrets): AirflowAuth | null {
  return openAuth(webhook.webhookAuth, authPlace(jobId), secrets);
}

/** The signing secret as its owner sees it (`whsec_...`), or null when no URL is set. */
export function openSecret(webhook: JobWebhook, jobId: string, secrets: Secrets): string | null {
  return webhook.webhookSecret === null ? null : secrets.open(webhook.webhookSecret, secretPlace(jobId));
}

/** Until when the secret before this one signs as well; null when it does not any more. */
export function oldSecretUntil({ webhookOldSecretUntil: until }: JobWebhook): Date | null {
  return until !== null && until.getTime() > Date.now() ? until : null;
}

/** The secret before this one, for as long as it signs as well. */
export function openOldSecret(webhook: JobWebhook, jobId: string, secrets: Secrets): string | null {
  const { webhookOldSecret: sealed } = webhook;
  if (sealed === null || oldSecretUntil(webhook) === null) return null;
  return secrets.open(sealed, oldSecretPlace(jobId));
}

/** The webhook fields of a job as callers see them: names of headers, never their values, nor a password or the secret. */
export function webhookView(webhook: JobWebhook, jobId: string, secrets: Secrets): WebhookSettings {
  const headers = Object.keys(openHeaders(webhook, jobId, secrets));
  return {
    webhook_enabled: webhook.webhookEnabled,
    webhook_url: webhook.webhookUrl,
    webhook_headers: Object.fromEntries(headers.map((name) => [name, hiddenValue])),
    webhook_auth: authView(openSignIn(webhook, jobId, secrets)),
    webhook_events: webhook.webhookEvents as WebhookSettings['webhook_events'],
  };
}

const headersPlace = (jobId: string) => `jobs:${jobId}:webhook_headers`;
const authPlace = (jobId: string) => `jobs:${jobId}:webhook_auth`;
const oldSecretPlace = (jobId: string) => `jobs:${jobId}:webhook_old_secret`;
const secretPlace = (jobId: string) => `jobs:${jobId}:webhook_secret`;

function withHiddenValues(
  sent: Record<string, string>,
  known: Record<string, string>,
): Record<string, string> {
  const headers = Object.entries(sent).map(([name, value]) => {
    if (value !== hiddenValue) return [name, value];
    const kept = Object.hasOwn(known, name) ? known[name] : undefined;
    if (kept === undefined)
      refuse(`webhook_headers/${name}`, 'Send the value: none is stored for this header.');
    return [name, kept];
  });
  return Object.fromEntries(headers) as Record<string, string>;
}

function originOf(url: string | null): string | null {
  return url === null ? null : new URL(url).origin;
}

function refuse(field: string, detail: string): never {
  throw invalidField(`/${field}`, detail);
}
