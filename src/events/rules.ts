import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { recordAudit } from '../audit/record-audit.ts';
import type { Context, Principal } from '../context.ts';
import { unlessTaken, type Database, type Transaction } from '../db.ts';
import { AppError, invalidField, type FieldProblem } from '../errors.ts';
import { decodeCursor, pageOf } from '../paging.ts';
import { commandTemplateProblem } from './command-template.ts';
import {
  countRules,
  findProjectOfJob,
  findRule,
  insertRule,
  listRules,
  lockRule,
  markRuleDeleted,
  updateRule,
  type RuleSettings,
  type StoredRule,
} from './rule-store.ts';
import type { NewRule, RuleChange, ruleList, ruleView } from './schema.ts';
import { lockEventSettings } from './source-store.ts';
import { requireSource } from './sources.ts';
import { problemsOf } from './values.ts';

/** Each event is judged by all of its source. */
const maxRules = 200;

type RuleView = z.input<typeof ruleView>;

export async function createRule({ db }: Context, principal: Principal, wanted: NewRule): Promise<RuleView> {
  const { organizationId } = principal;
  return named(() =>
    db.$transaction(async (tx) => {
      await lockEventSettings(tx, organizationId);
      if ((await countRules(tx, organizationId)) >= maxRules)
        throw conflict(`There are ${maxRules} event rules already. Delete one that is not needed any more.`);
      const settings = await acceptRule(tx, principal, wanted);
      const id = randomUUID();
      const made = await insertRule(tx, { ...settings, id, organizationId });
      await recordAudit(tx, principal, 'event_rule.created', subjectOf(id), { name: wanted.name });
      return view(made);
    }),
  );
}

export async function rulesOf(
  { db }: Context,
  { organizationId }: Principal,
  page: { limit: number; cursor?: string | undefined },
): Promise<z.input<typeof ruleList>> {
  const rows = await listRules(db, organizationId, decodeCursor(page.cursor), page.limit + 1);
  return pageOf(rows, page.limit, view);
}

export async function getRule({ db }: Context, principal: Principal, id: string): Promise<RuleView> {
  return view(await requireRule(db, principal, id));
}

/** What is being gathered is closed as the rule says by then. */
export async function changeRule(
  { db }: Context,
  principal: Principal,
  id: string,
  change: RuleChange,
): Promise<RuleView> {
  return named(() =>
    db.$transaction(async (tx) => {
      await lockEventSettings(tx, principal.organizationId);
      await lockRule(tx, id);
      const current = await requireRule(tx, principal, id);
      const accepted = await acceptRule(tx, principal, withChange(current, change), { current });
      const changed = await updateRule(tx, id, accepted);
      await recordAudit(tx, principal, 'event_rule.changed', subjectOf(id), { fields: Object.keys(change) });
      return view(changed);
    }),
  );
}

export async function deleteRule({ db }: Context, principal: Principal, id: string): Promise<void> {
  await db.$transaction(async (tx) => {
    await lockRule(tx, id);
    const { name } = await requireRule(tx, principal, id);
    await markRuleDeleted(tx, id);
    await recordAudit(tx, principal, 'event_rule.deleted', subjectOf(id), { name });
  });
}

/** Refuses ids of other organizations like unknown ones. */
export async function requireRule(
  db: Database | Transaction,
  { organizationId }: Principal,
  id: string,
): Promise<StoredRule> {
  const found = await findRule(db, organizationId, id);
  if (found === null) throw new AppError('not_found', 'There is no such event rule.');
  return found;
}

export function withChange(current: StoredRule, change: RuleChange): NewRule {
  const { id: _id, created_at: _made, updated_at: _changed, ...settings } = view(current);
  const isMoved = change.job_id !== undefined && change.project_id === undefined;
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  return { ...settings, ...given, ...(isMoved ? { project_id: undefined } : {}) };
}

/**
 * What is stored of a rule, or the refusal of what it can't be. `below`: where it is in the body. `current`: as it is
 * stored; one that is switched off may keep its job when that is deleted, or nobody could switch it off.
 */
export async function acceptRule(
  db: Database | Transaction,
  principal: Principal,
  rule: NewRule,
  { below = '', current }: { below?: string; current?: StoredRule } = {},
): Promise<RuleSettings> {
  const source = await requireSource(db, principal, rule.source_id).catch((error: unknown) => {
    throw error instanceof AppError ? invalidField(`${below}/source_id`, error.message) : error;
  });
  const project = await findProjectOfJob(db, principal.organizationId, rule.job_id);
  const mayBeGone = !rule.is_active && rule.job_id === current?.jobId;
  if (project === null || (!project.isLive && !mayBeGone))
    throw invalidField(`${below}/job_id`, 'There is no such job: GET /api/v1/projects lists them.');
  if (rule.project_id !== undefined && rule.project_id !== project.id)
    throw invalidField(`${below}/project_id`, 'The job is not of this project: correct it, or leave it out.');
  if (rule.window_until !== null && rule.window_seconds === null)
    throw invalidField(
      `${below}/window_seconds`,
      'Say how long to wait at most for the values of window_until.',
    );
  refuseTemplates(rule, project.type, below);
  return {
    name: rule.name,
    sourceId: source.id,
    active: rule.is_active,
    conditions: rule.conditions,
    projectId: project.id,
    jobId: rule.job_id,
    commandOverride: rule.command_override,
    cause: rule.cause,
    metadata: rule.metadata,
    windowSeconds: rule.window_seconds,
    windowUntil: rule.window_until,
  };
}

function refuseTemplates(
  { command_override: command, cause, metadata }: NewRule,
  projectType: string,
  below: string,
): void {
  const problems: FieldProblem[] = [
    ...problemsOf(command, `${below}/command_override`),
    ...problemsOf(cause, `${below}/cause`),
    ...problemsOf(metadata, `${below}/metadata`),
  ];
  if (problems.length === 0 && command !== null) {
    const pointer = `${below}/command_override`;
    if (projectType !== 'dbt')
      problems.push({
        pointer,
        detail: 'Only the commands of a dbt project can be overridden: leave it out.',
      });
    const problem = commandTemplateProblem(command);
    if (problem !== null) problems.push({ pointer, detail: problem });
  }
  const [first] = problems;
  if (first !== undefined)
    throw new AppError('invalid_request', `${first.pointer}: ${first.detail}`, { problems });
}

function view(rule: StoredRule): RuleView {
  return {
    id: rule.id,
    name: rule.name,
    source_id: rule.sourceId,
    is_active: rule.active,
    conditions: rule.conditions,
    project_id: rule.projectId,
    job_id: rule.jobId,
    command_override: rule.commandOverride,
    cause: rule.cause,
    metadata: rule.metadata,
    window_seconds: rule.windowSeconds,
    window_until: rule.windowUntil,
    created_at: rule.createdAt.toISOString(),
    updated_at: rule.updatedAt.toISOString(),
  };
}

const named = unlessTaken('An event rule of this name exists already: choose another name.');

const subjectOf = (id: string) => ({ kind: 'event_rule', id });
const conflict = (detail: string) => new AppError('conflict', detail);
