import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readConfig } from './config.ts';
import type { Actor, Context } from './context.ts';
import { AppError } from './errors.ts';
import { revealWebhookSecret } from './jobs/jobs.ts';
import { invite } from './invitations/invitations.ts';
import { newInvitation } from './invitations/schema.ts';
import { createLog } from './log.ts';
import { openContext } from './open-context.ts';
import { createOrganization } from './organizations/organizations.ts';
import { newOrganization } from './organizations/schema.ts';
import { listAllOrganizations } from './organizations/store.ts';
import { resealEverything } from './reseal.ts';
import { newToken } from './tokens/schema.ts';
import { makeToken } from './tokens/tokens.ts';
import { resetPassword } from './users/reset-password.ts';
import { email, newUser } from './users/schema.ts';
import { addUser } from './users/users.ts';

// What whoever has a shell on the server can do. What is asked for goes to stdout, everything else to stderr.
const usage = `Usage: npm run operate -- <command>

  add-organization <name> --admin <e-mail>                             answers its id; the admin's password if new
  add-user <organization id> <e-mail> --role viewer|operator|admin     answers their password if new
  add-token <organization id> <name> --scope read|trigger|admin        answers the token
  invite <e-mail> [--organization <id>] [--role viewer|operator|admin] answers a link to send, good for a week
  reset-password <e-mail>                                              answers the new password, ends all sessions
  rotate-secrets                                                       seals everything with the current secret key
  webhook-secret <job id>                                              answers what the job's webhooks are signed with`;

const actor: Actor = { kind: 'system', id: null, name: 'operator' };

/** A mistake in how the command was written. */
class Misuse extends Error {}

try {
  const { run, args, options } = readCommand(process.argv.slice(2));
  const context = openContext(readConfig(process.env), createLog('setup', 'warn'));
  try {
    process.exitCode = await run(context, args, options);
  } finally {
    await context.close();
  }
} catch (error) {
  if (error instanceof Misuse) {
    process.stderr.write(`${error.message === '' ? '' : `${error.message}\n\n`}${usage}\n`);
    process.exitCode = 2;
  } else {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

type Options = Partial<Record<'admin' | 'organization' | 'role' | 'scope', string>>;
type Command = (context: Context, args: string[], options: Options) => Promise<number>;

function readCommand(given: string[]): { run: Command; args: string[]; options: Options } {
  const option = { type: 'string' } as const;
  const commands: Record<
    string,
    { run: Command; takes: number; option?: keyof Options; mayHave?: (keyof Options)[] }
  > = {
    'add-organization': { run: addOrganization, takes: 1, option: 'admin' },
    'add-user': { run: addMember, takes: 2, option: 'role' },
    'add-token': { run: addToken, takes: 2, option: 'scope' },
    invite: { run: inviteSomebody, takes: 1, mayHave: ['organization', 'role'] },
    'reset-password': { run: giveNewPassword, takes: 1 },
    'rotate-secrets': { run: rotateSecrets, takes: 0 },
    'webhook-secret': { run: showWebhookSecret, takes: 1 },
  };
  let parsed;
  try {
    parsed = parseArgs({
      args: given,
      allowPositionals: true,
      options: { admin: option, organization: option, role: option, scope: option },
    });
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : '');
  }
  const [name = '', ...args] = parsed.positionals;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new Misuse(name === '' ? '' : `There is no command ${name}.`);
  if (args.length !== command.takes) throw new Misuse(`${name} takes ${command.takes} words after it.`);
  const known: string[] = [command.option ?? [], command.mayHave ?? []].flat();
  for (const each of Object.keys(parsed.values))
    if (!known.includes(each)) throw new Misuse(`${name} takes no --${each}.`);
  if (command.option !== undefined && parsed.values[command.option] === undefined)
    throw new Misuse(`${name} needs --${command.option}.`);
  return { run: command.run, args, options: parsed.values };
}

async function addOrganization(context: Context, [name]: string[], { admin }: Options): Promise<number> {
  const wanted = check(newOrganization, { name, admin_email: admin });
  const made = await createOrganization(context, actor, wanted);
  say(made.id);
  tellAccount(made.admin);
  return 0;
}

async function addMember(context: Context, [id, address]: string[], { role }: Options): Promise<number> {
  const organizationId = await organizationOf(context, id);
  const wanted = check(newUser, { email: address, role });
  tellAccount(await addUser(context, { organizationId, actor }, wanted));
  return 0;
}

async function addToken(context: Context, [id, name]: string[], { scope }: Options): Promise<number> {
  const organizationId = await organizationOf(context, id);
  const made = await makeToken(context, { organizationId, actor }, check(newToken, { name, scope }));
  say(made.token);
  return 0;
}

/** Of several organizations, it has to be said which. */
async function inviteSomebody(
  context: Context,
  [address]: string[],
  { organization, role = 'viewer' }: Options,
): Promise<number> {
  const wanted = check(newInvitation, { email: address, role });
  const organizationId = await organizationOf(context, organization ?? (await onlyOrganization(context)));
  const { DCTL_PUBLIC_URL: publicUrl, DCTL_PORT: port, DCTL_TLS_CERT: certificate } = context.config;
  const here = `${certificate === undefined ? 'http' : 'https'}://localhost:${port}`;
  const made = await invite(context, { organizationId, actor }, wanted, publicUrl ?? here);
  say(made.url);
  if (publicUrl === undefined)
    process.stderr.write(`DCTL_PUBLIC_URL is not set: put the server's address in the place of ${here}.\n`);
  return 0;
}

async function onlyOrganization({ db }: Context): Promise<string | undefined> {
  const [only, ...others] = await listAllOrganizations(db);
  return others.length === 0 ? only?.id : undefined;
}

async function giveNewPassword(context: Context, [address]: string[]): Promise<number> {
  const password = await resetPassword(context, actor, check(email, address));
  if (password === null) return refuse('Nobody has this e-mail address.');
  say(password);
  return 0;
}

async function showWebhookSecret(context: Context, [jobId = '']: string[]): Promise<number> {
  const secret = await revealWebhookSecret(context, actor, jobId);
  if (secret === null) return refuse('No webhook URL is set on this job, or there is no such job.');
  say(secret);
  return 0;
}

async function rotateSecrets(context: Context): Promise<number> {
  const { counts, lost, tokensOfOlderKeys } = await resealEverything(context);
  for (const { what, count } of counts) say(`${what}: ${count} sealed anew`);
  say(
    tokensOfOlderKeys === 0
      ? 'All live tokens hang on the current key.'
      : `${tokensOfOlderKeys} live tokens still hang on an older key: each moves on when it is used next. Without ` +
          'the older key in DCTL_OLD_SECRET_KEYS they would not work any more.',
  );
  if (lost.length === 0) return 0;
  const shown = lost.slice(0, 50).map((place) => `  ${place}`);
  return refuse(
    `${lost.length} values were sealed with a key that is neither DCTL_SECRET_KEY nor in DCTL_OLD_SECRET_KEYS. Add ` +
      `the key and run this again, or set these values again:\n${shown.join('\n')}`,
  );
}

/** Whoever has a shell may see which there are. */
async function organizationOf(context: Context, id: string | undefined): Promise<string> {
  const all = await listAllOrganizations(context.db);
  const found = all.find((each) => each.id === id);
  if (found !== undefined) return found.id;
  const known = all.map((each) => `  ${each.id}  ${each.name}`);
  const why = id === undefined ? 'Say which, with --organization' : 'There is no organization with this id';
  throw new AppError('not_found', `${why}. There are:\n${known.join('\n')}`);
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Misuse(
    parsed.error.issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('\n'),
  );
}

function tellAccount({ email: address, password, is_new: isNew }: Account): void {
  if (password !== undefined) say(password);
  else process.stderr.write(`${address} ${isNew ? 'is new' : 'was known and keeps their password'}.\n`);
}

interface Account {
  email: string;
  is_new: boolean;
  password?: string | undefined;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function refuse(why: string): number {
  process.stderr.write(`${why}\n`);
  return 1;
}
