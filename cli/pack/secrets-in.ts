import { readFile } from 'node:fs/promises';
import type { ProjectFile } from './list-files.ts';

const secretNames: [pattern: RegExp, why: string][] = [
  [/(^|\/)\.env(\.(?!example$|sample$|template$|dist$)[^/]*)?$/i, 'files of this name hold passwords'],
  [/\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk)$/i, 'files of this kind hold keys'],
  [/(^|\/)id_(rsa|dsa|ecdsa|ed25519)$/, 'it is named as a private SSH key is'],
  [/(^|\/)\.(netrc|pgpass|pypirc|htpasswd|git-credentials)$/, 'files of this name hold passwords'],
  [/(^|\/)(credentials|service[-_]?account[^/]*|client_secret[^/]*)\.json$/i, 'files of this name hold keys'],
  [/(^|\/)secrets?\.(ya?ml|json|toml)$/i, 'files of this name hold secrets'],
  [/\.tfstate(\.backup)?$/, 'the state of Terraform holds secrets'],
];

const secretTexts: [pattern: RegExp, why: string][] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, 'it holds a private key'],
  [/"private_key"\s*:\s*"-----BEGIN/, 'it holds the key of a service account'],
  [/\b(AKIA|ASIA)[0-9A-Z]{16}\b/, 'it holds an access key of AWS'],
  [/\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{50,}/, 'it holds a token of GitHub'],
  [/\bglpat-[\w-]{20,}/, 'it holds a token of GitLab'],
  [/\bxox[abprs]-[\w-]{10,}/, 'it holds a token of Slack'],
  [/\bdapi[0-9a-f]{32}\b/, 'it holds a token of Databricks'],
  [/\bdctl_[A-Za-z0-9]{36}\b/, 'it holds a token of dctl'],
  [/\bwhsec_[A-Za-z0-9+/]{40,}/, 'it holds a signing secret'],
];

/** A password of a profile that is written out, and not read from the environment. */
const passwordOfProfile =
  /^[ \t]*(pass|password|token|private_key|private_key_passphrase|client_secret|keyfile_json)[ \t]*:[ \t]*["']?(?![ \t]*["']?\{\{)[^\s"'#|>]/m;

/** Larger ones are data. */
const mostBytes = 2 * 1024 * 1024;

/** The files that look as if they held secrets, and why. */
export async function secretsIn(files: ProjectFile[]): Promise<{ path: string; why: string }[]> {
  const found: { path: string; why: string }[] = [];
  for (const { path, file, size } of files) {
    const why =
      // A link is named as somebody likes: what it leads to counts too.
      whyByName(path) ??
      whyByName(file) ??
      (size > mostBytes ? undefined : whyByText(path, await readFile(file, 'latin1')));
    if (why !== undefined) found.push({ path, why });
  }
  return found;
}

function whyByName(path: string): string | undefined {
  return secretNames.find(([pattern]) => pattern.test(path))?.[1];
}

function whyByText(path: string, text: string): string | undefined {
  if (/(^|\/)profiles\.ya?ml$/.test(path) && passwordOfProfile.test(text))
    return 'it holds a password that is written out: read it with env_var(), or use dctl connection set';
  return secretTexts.find(([pattern]) => pattern.test(text))?.[1];
}
