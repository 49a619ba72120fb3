-- Values that hooks name in their templates.
CREATE TABLE orchestration_variables (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations (id),
  name text NOT NULL,
  value text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (organization_id, name)
);

CREATE TABLE orchestration_secrets (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations (id),
  name text NOT NULL,
  -- Encrypted.
  value text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (organization_id, name)
);

-- Requests of the user's own making, sent when a run has ended and the rules hold.
CREATE TABLE hooks (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations (id),
  description text NOT NULL DEFAULT '',
  active boolean NOT NULL DEFAULT true,
  method text NOT NULL CHECK (method IN ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')),
  -- Templates, as all of the following.
  url text NOT NULL,
  -- Encrypted JSON object.
  headers text NOT NULL,
  -- JSON; NULL: none is sent.
  body text,
  -- Encrypted JSON object: how the receiver is signed in to; NULL: by nothing but its headers.
  auth text,
  -- [{variable_name, operation, value}]: all of them hold.
  rules jsonb NOT NULL DEFAULT '[]',
  -- Empty: all of the organization.
  job_ids text[] NOT NULL DEFAULT ARRAY[]::text[],
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  deleted_at timestamptz(3)
);
CREATE INDEX hooks_of_organization ON hooks (organization_id, created_at, id) WHERE deleted_at IS NULL;

ALTER TABLE deliveries
  ADD COLUMN hook_id text REFERENCES hooks (id),
  -- Encrypted JSON object {method, url, body}: of a hook, whose `url` and `body` are as anybody may see them.
  ADD COLUMN request text,
  -- A hook is not signed.
  ALTER COLUMN secret DROP NOT NULL,
  DROP CONSTRAINT deliveries_kind_check,
  ADD CHECK (kind IN ('run_finished', 'run_event', 'hook', 'sent_again', 'test'));
CREATE UNIQUE INDEX deliveries_of_hook_once ON deliveries (run_id, hook_id) WHERE kind = 'hook';
CREATE INDEX deliveries_of_hook ON deliveries (hook_id, created_at DESC, id DESC) WHERE hook_id IS NOT NULL;

-- Where events come from, and how they are known to be its own.
CREATE TABLE event_sources (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations (id),
  name text NOT NULL,
  -- How a request shows where it comes from.
  auth text NOT NULL CHECK (auth IN ('token', 'standard_webhooks', 'github', 'stripe')),
  -- Encrypted: the token, or what requests are signed with.
  secret text NOT NULL,
  -- Dotted path of the event's own id; NULL: the header that such sources send.
  id_field text,
  active boolean NOT NULL DEFAULT true,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  deleted_at timestamptz(3)
);
CREATE UNIQUE INDEX event_sources_one_name ON event_sources (organization_id, name) WHERE deleted_at IS NULL;

CREATE TABLE events (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations (id),
  source_id text NOT NULL REFERENCES event_sources (id),
  -- Of the source; NULL: it sent none, so this one is like no other.
  external_id text,
  -- JSON, as it came.
  body text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX events_once ON events (source_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX events_of_organization ON events (organization_id, created_at DESC, id DESC);
CREATE INDEX events_of_source ON events (source_id, created_at DESC, id DESC);

-- Which events make which job run.
CREATE TABLE event_rules (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations (id),
  name text NOT NULL,
  source_id text NOT NULL REFERENCES event_sources (id),
  active boolean NOT NULL DEFAULT true,
  -- [{variable_name, operation, value}] on fields of the event: all of them hold.
  conditions jsonb NOT NULL DEFAULT '[]',
  project_id text NOT NULL REFERENCES projects (id),
  job_id text NOT NULL REFERENCES jobs (id),
  -- Templates; NULL: nothing.
  command_override text,
  cause text,
  metadata jsonb,
  -- Events are gathered for so long after the first one; NULL: each makes a run.
  window_seconds integer CHECK (window_seconds > 0),
  -- {variable_name, values}: or until all of these have arrived.
  window_until jsonb,
  created_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  deleted_at timestamptz(3)
);
CREATE UNIQUE INDEX event_rules_one_name ON event_rules (organization_id, name) WHERE deleted_at IS NULL;
CREATE INDEX event_rules_of_source ON event_rules (source_id, created_at, id) WHERE deleted_at IS NULL;

-- Events of one rule that wait to make one run.
CREATE TABLE event_gatherings (
  id text PRIMARY KEY,
  rule_id text NOT NULL REFERENCES event_rules (id),
  opened_at timestamptz(3) NOT NULL,
  closes_at timestamptz(3) NOT NULL,
  closed_at timestamptz(3),
  -- How many events it has, of how many bytes, and which of the values have arrived that its rule waits for.
  event_count integer NOT NULL DEFAULT 0,
  bytes integer NOT NULL DEFAULT 0,
  arrived text[] NOT NULL DEFAULT ARRAY[]::text[]
);
CREATE UNIQUE INDEX event_gatherings_one_open ON event_gatherings (rule_id) WHERE closed_at IS NULL;
CREATE INDEX event_gatherings_open ON event_gatherings (closes_at) WHERE closed_at IS NULL;

-- What a rule made of an event.
CREATE TABLE event_verdicts (
  event_id text NOT NULL REFERENCES events (id) ON DELETE CASCADE,
  rule_id text NOT NULL REFERENCES event_rules (id),
  verdict text NOT NULL CHECK (verdict IN ('no_match', 'gathering', 'run', 'refused')),
  -- [{variable_name, operation, value, actual, holds}], as they were then.
  conditions jsonb NOT NULL,
  -- A sentence: why there is no run.
  reason text,
  gathering_id text REFERENCES event_gatherings (id),
  run_id text REFERENCES runs (id),
  PRIMARY KEY (event_id, rule_id)
);
CREATE INDEX event_verdicts_of_run ON event_verdicts (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX event_verdicts_of_gathering ON event_verdicts (gathering_id) WHERE gathering_id IS NOT NULL;
CREATE INDEX event_verdicts_of_rule ON event_verdicts (rule_id);
