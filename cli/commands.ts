import type { Command } from './command.ts';
import { api } from './commands/api.ts';
import { artifactsDownload } from './commands/artifacts-download.ts';
import { artifacts } from './commands/artifacts.ts';
import { cancel } from './commands/cancel.ts';
import { completion } from './commands/completion.ts';
import { connectionRemove } from './commands/connection-remove.ts';
import { connectionSet } from './commands/connection-set.ts';
import { connection } from './commands/connection.ts';
import { deploy } from './commands/deploy.ts';
import { deploymentsActivate } from './commands/deployments-activate.ts';
import { deployments } from './commands/deployments.ts';
import { envSet } from './commands/env-set.ts';
import { envUnset } from './commands/env-unset.ts';
import { env } from './commands/env.ts';
import { environmentsCreate } from './commands/environments-create.ts';
import { environmentsSet } from './commands/environments-set.ts';
import { environments } from './commands/environments.ts';
import { hostsUse } from './commands/hosts-use.ts';
import { hosts } from './commands/hosts.ts';
import { init } from './commands/init.ts';
import { jobsCreate } from './commands/jobs-create.ts';
import { jobsDelete } from './commands/jobs-delete.ts';
import { jobsSet } from './commands/jobs-set.ts';
import { jobsShow } from './commands/jobs-show.ts';
import { jobs } from './commands/jobs.ts';
import { login } from './commands/login.ts';
import { logout } from './commands/logout.ts';
import { logs } from './commands/logs.ts';
import { projects } from './commands/projects.ts';
import { retry } from './commands/retry.ts';
import { runs } from './commands/runs.ts';
import { secretDelete } from './commands/secret-delete.ts';
import { secretSet } from './commands/secret-set.ts';
import { secret } from './commands/secret.ts';
import { show } from './commands/show.ts';
import { tokensCreate } from './commands/tokens-create.ts';
import { tokensRevoke } from './commands/tokens-revoke.ts';
import { tokens } from './commands/tokens.ts';
import { trigger } from './commands/trigger.ts';
import { wait } from './commands/wait.ts';
import { webhookDeliveries } from './commands/webhook-deliveries.ts';
import { webhookSecret } from './commands/webhook-secret.ts';
import { webhookSendAgain } from './commands/webhook-send-again.ts';
import { webhookTest } from './commands/webhook-test.ts';
import { webhookVerify } from './commands/webhook-verify.ts';
import type { Group } from './help.ts';

/** All that can be written after `dctl`: help, parsing and completion know no other list. */
export const commands: readonly Command[] = [
  init,
  deploy,
  deployments,
  deploymentsActivate,
  trigger,
  wait,
  cancel,
  retry,
  runs,
  show,
  logs,
  artifacts,
  artifactsDownload,
  projects,
  jobs,
  jobsShow,
  jobsCreate,
  jobsSet,
  jobsDelete,
  environments,
  environmentsCreate,
  environmentsSet,
  env,
  envSet,
  envUnset,
  secret,
  secretSet,
  secretDelete,
  connection,
  connectionSet,
  connectionRemove,
  webhookVerify,
  webhookSecret,
  webhookTest,
  webhookDeliveries,
  webhookSendAgain,
  login,
  logout,
  hosts,
  hostsUse,
  tokens,
  tokensCreate,
  tokensRevoke,
  api,
  completion,
];

/** How the list of all commands is divided. */
export const commandGroups: readonly Group[] = [
  { title: 'Code', names: ['init', 'deploy', 'deployments'] },
  { title: 'Runs', names: ['trigger', 'wait', 'cancel', 'retry', 'runs', 'show', 'logs', 'artifacts'] },
  { title: 'Jobs and webhooks', names: ['projects', 'jobs', 'webhook'] },
  { title: 'What dbt is run with', names: ['environments', 'env', 'secret', 'connection'] },
  { title: 'Servers and tokens', names: ['login', 'logout', 'hosts', 'tokens'] },
  { title: 'Further', names: ['api', 'completion'] },
];
