import type { Context } from '../context.ts';
import { jsonRoute, type Route } from '../http/route.ts';
import { pageQuery } from '../paging.ts';
import { eventsOf, eventsOfRun, getEvent } from './events.ts';
import { previewRule } from './preview.ts';
import { openEventReceiver } from './receive-event.ts';
import { changeRule, createRule, deleteRule, getRule, rulesOf } from './rules.ts';
import * as shapes from './schema.ts';
import { changeSource, createSource, deleteSource, getSource, rotateSecret, sourcesOf } from './sources.ts';

const tag = 'Events';
const sourcesPath = '/api/v1/event-sources';
const sourcePath = `${sourcesPath}/{source_id}`;
const rulesPath = '/api/v1/event-rules';
const rulePath = `${rulesPath}/{rule_id}`;

export const eventRoutes = (context: Context): Route[] => [
  ...receivingRoutes(context),
  ...sourceRoutes(context),
  ...ruleRoutes(context),
];

const receivingRoutes = (context: Context, receive = openEventReceiver(context)): Route[] => [
  jsonRoute({
    method: 'post',
    path: '/api/v1/events/{id}',
    name: 'receiveEvent',
    summary: 'Bring an event of a source: its id, or with an API token also its name',
    tag,
    scope: null,
    signed: true,
    params: shapes.eventParams,
    body: shapes.anyEvent,
    success: {
      status: 200,
      description: 'The event is recorded, with what each rule made of it; or it was before',
      schema: shapes.accepted,
    },
    handle: ({ params, header, address, bytes: body, count }) =>
      receive(params.id, { method: 'POST', header, address, params, body, count }),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/events',
    name: 'listEvents',
    summary: 'Events that came, and what each rule made of them',
    tag,
    scope: 'read',
    query: shapes.eventQuery,
    success: { status: 200, description: 'Events, newest first', schema: shapes.eventList },
    handle: ({ principal, query }) => eventsOf(context, principal, query),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/events/{id}',
    name: 'getEvent',
    summary: 'Why an event made a job run, or did not',
    tag,
    scope: 'read',
    params: shapes.eventParams,
    success: {
      status: 200,
      description: 'The event, its verdicts, runs and webhooks',
      schema: shapes.eventDetails,
    },
    handle: ({ principal, params }) => getEvent(context, principal, params.id),
  }),
  jsonRoute({
    method: 'get',
    path: '/api/v1/runs/{run_id}/events',
    name: 'listEventsOfRun',
    summary: 'The events that made a run begin',
    tag,
    scope: 'read',
    params: shapes.runEventsParams,
    query: pageQuery,
    success: { status: 200, description: 'Events, newest first', schema: shapes.eventList },
    handle: ({ principal, params, query }) => eventsOfRun(context, principal, params.run_id, query),
  }),
];

const sourceRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: sourcesPath,
    name: 'listEventSources',
    summary: 'Where events come from',
    tag,
    scope: 'read',
    query: pageQuery,
    success: { status: 200, description: 'Sources, oldest first', schema: shapes.sourceList },
    handle: ({ principal, query }) => sourcesOf(context, principal, query),
  }),
  jsonRoute({
    method: 'post',
    path: sourcesPath,
    name: 'createEventSource',
    summary: 'Make an event source',
    tag,
    scope: 'admin',
    body: shapes.newSource,
    success: {
      status: 201,
      description: 'The source with its secret, which is shown this once',
      schema: shapes.sourceWithSecret,
    },
    handle: ({ principal, body }) => createSource(context, principal, body),
  }),
  jsonRoute({
    method: 'get',
    path: sourcePath,
    name: 'getEventSource',
    summary: 'An event source',
    tag,
    scope: 'read',
    params: shapes.sourceParams,
    success: { status: 200, description: 'The source', schema: shapes.sourceView },
    handle: ({ principal, params }) => getSource(context, principal, params.source_id),
  }),
  jsonRoute({
    method: 'patch',
    path: sourcePath,
    name: 'changeEventSource',
    summary: 'Change an event source',
    tag,
    scope: 'admin',
    params: shapes.sourceParams,
    body: shapes.sourceChange,
    success: { status: 200, description: 'The source', schema: shapes.sourceView },
    handle: ({ principal, params, body }) => changeSource(context, principal, params.source_id, body),
  }),
  jsonRoute({
    method: 'delete',
    path: sourcePath,
    name: 'deleteEventSource',
    summary: 'Delete an event source that no rule looks at; its events stay',
    tag,
    scope: 'admin',
    params: shapes.sourceParams,
    success: { status: 204, description: 'Deleted' },
    handle: ({ principal, params }) => deleteSource(context, principal, params.source_id),
  }),
  jsonRoute({
    method: 'post',
    path: `${sourcePath}/rotate-secret`,
    name: 'rotateEventSourceSecret',
    summary: 'Give an event source another secret: the earlier one counts no more',
    tag,
    scope: 'admin',
    params: shapes.sourceParams,
    body: shapes.secretChange,
    success: {
      status: 200,
      description: 'The source with its secret, which is shown this once',
      schema: shapes.sourceWithSecret,
    },
    handle: ({ principal, params, body }) => rotateSecret(context, principal, params.source_id, body.secret),
  }),
];

const ruleRoutes = (context: Context): Route[] => [
  jsonRoute({
    method: 'get',
    path: rulesPath,
    name: 'listEventRules',
    summary: 'Which events make which job run',
    tag,
    scope: 'read',
    query: pageQuery,
    success: { status: 200, description: 'Rules, oldest first', schema: shapes.ruleList },
    handle: ({ principal, query }) => rulesOf(context, principal, query),
  }),
  jsonRoute({
    method: 'post',
    path: rulesPath,
    name: 'createEventRule',
    summary: 'Make an event rule',
    tag,
    scope: 'admin',
    body: shapes.newRule,
    success: { status: 201, description: 'The rule', schema: shapes.ruleView },
    handle: ({ principal, body }) => createRule(context, principal, body),
  }),
  jsonRoute({
    method: 'post',
    path: `${rulesPath}/preview`,
    name: 'previewEventRule',
    summary: 'What a rule would have made of the events that came; nothing is recorded',
    tag,
    scope: 'admin',
    body: shapes.previewRequest,
    success: { status: 200, description: 'What would have run', schema: shapes.preview },
    handle: ({ principal, body }) => previewRule(context, principal, body),
  }),
  jsonRoute({
    method: 'get',
    path: rulePath,
    name: 'getEventRule',
    summary: 'An event rule',
    tag,
    scope: 'read',
    params: shapes.ruleParams,
    success: { status: 200, description: 'The rule', schema: shapes.ruleView },
    handle: ({ principal, params }) => getRule(context, principal, params.rule_id),
  }),
  jsonRoute({
    method: 'patch',
    path: rulePath,
    name: 'changeEventRule',
    summary: 'Change an event rule',
    tag,
    scope: 'admin',
    params: shapes.ruleParams,
    body: shapes.ruleChange,
    success: { status: 200, description: 'The rule', schema: shapes.ruleView },
    handle: ({ principal, params, body }) => changeRule(context, principal, params.rule_id, body),
  }),
  jsonRoute({
    method: 'delete',
    path: rulePath,
    name: 'deleteEventRule',
    summary: 'Delete an event rule; what it made of events stays',
    tag,
    scope: 'admin',
    params: shapes.ruleParams,
    success: { status: 204, description: 'Deleted' },
    handle: ({ principal, params }) => deleteRule(context, principal, params.rule_id),
  }),
];
