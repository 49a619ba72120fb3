import type { Command } from './command.ts';
import { api } from './commands/api.ts';
import { artifacts } from './commands/artifacts.ts';
import { artifactsDownload } from './commands/artifacts-download.ts';
import { audit } from './commands/audit.ts';
import { cancel } from './commands/cancel.ts';
import { completion } from './commands/completion.ts';
import { connection } from './commands/connection.ts';
import { connectionRemove } from './commands/connection-remove.ts';
import { connectionSet } from './commands/connection-set.ts';
import { deploy } from './commands/deploy.ts';
import { deployments } from './commands/deployments.ts';
import { deploymentsActivate, deploymentsRollBack } from './commands/deployments-activate.ts';
import { env } from './commands/env.ts';
import { envSet } from './commands/env-set.ts';
import { envUnset } from './commands/env-unset.ts';
import { environments } from './commands/environments.ts';
import { environmentsCreate } from './commands/environments-create.ts';
import { environmentsDelete } from './commands/environments-delete.ts';
import { environmentsSet } from './commands/environments-set.ts';
import { hosts } from './commands/hosts.ts';
import { hostsUse } from './commands/hosts-use.ts';
import { init } from './commands/init.ts';
import { invitations } from './commands/invitations.ts';
import { invitationsCreate } from './commands/invitations-create.ts';
import { invitationsWithdraw } from './commands/invitations-withdraw.ts';
import { jobs } from './commands/jobs.ts';
import { jobsCreate } from './commands/jobs-create.ts';
import { jobsDelete } from './commands/jobs-delete.ts';
import { jobsSet } from './commands/jobs-set.ts';
import { jobsShow } from './commands/jobs-show.ts';
import { jobsTrends } from './commands/jobs-trends.ts';
import { login } from './commands/login.ts';
import { logout } from './commands/logout.ts';
import { logs } from './commands/logs.ts';
import { projectsDelete } from './commands/projects-delete.ts';
import { projectsRename } from './commands/projects-rename.ts';
import { projects } from './commands/projects.ts';
import { retry } from './commands/retry.ts';
import { runs } from './commands/runs.ts';
import { schedules } from './commands/schedules.ts';
import { schedulesCheck } from './commands/schedules-check.ts';
import { secret } from './commands/secret.ts';
import { secretDelete } from './commands/secret-delete.ts';
import { secretSet } from './commands/secret-set.ts';
import { show } from './commands/show.ts';
import { tokens } from './commands/tokens.ts';
import { tokensCreate } from './commands/tokens-create.ts';
import { tokensRevoke } from './commands/tokens-revoke.ts';
import { trigger } from './commands/trigger.ts';
import { users } from './commands/users.ts';
import { usersRemove } from './commands/users-remove.ts';
import { usersSet } from './commands/users-set.ts';
import { wait } from './commands/wait.ts';
import { webhookDeliveries } from './commands/webhook-deliveries.ts';
import { webhookRotateSecret } from './commands/webhook-rotate-secret.ts';
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
  deploymentsRollBack,
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
  projectsRename,
  projectsDelete,
  jobs,
  jobsShow,
  jobsCreate,
  jobsSet,
  jobsDelete,
  jobsTrends,
  schedules,
  schedulesCheck,
  environments,
  environmentsCreate,
  environmentsSet,
  environmentsDelete,
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
  webhookRotateSecret,
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
  users,
  usersSet,
  usersRemove,
  invitations,
  invitationsCreate,
  invitationsWithdraw,
  audit,
  api,
  completion,
];

/** How the list of all commands is divided. */
export const commandGroups: readonly Group[] = [
  { title: 'Code', names: ['init', 'deploy', 'deployments'] },
  { title: 'Runs', names: ['trigger', 'wait', 'cancel', 'retry', 'runs', 'show', 'logs', 'artifacts'] },
  { title: 'Jobs and webhooks', names: ['projects', 'jobs', 'schedules', 'webhook'] },
  { title: 'Environments', names: ['environments', 'env', 'secret', 'connection'] },
  { title: 'Servers', names: ['login', 'logout', 'hosts'] },
  { title: 'Access and audit', names: ['tokens', 'users', 'invitations', 'audit'] },
  { title: 'Other', names: ['api', 'completion'] },
];
