CREATE TABLE organizations (
  id text PRIMARY KEY,
  name text NOT NULL UNIQUE,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE users (
  id text PRIMARY KEY,
  email text NOT NULL UNIQUE,
  password_hash text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE memberships (
  organization_id text NOT NULL REFERENCES organizations,
  user_id text NOT NULL REFERENCES users,
  role text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
  PRIMARY KEY (organization_id, user_id)
);

CREATE TABLE api_tokens (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations,
  name text NOT NULL,
  scope text NOT NULL CHECK (scope IN ('read', 'trigger', 'admin')),
  hash bytea NOT NULL UNIQUE,
  prefix text NOT NULL,
  last_four text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3),
  revoked_at timestamptz(3)
);

CREATE TABLE projects (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations,
  name text NOT NULL,
  type text NOT NULL CHECK (type IN ('dbt')),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  UNIQUE (organization_id, name)
);

CREATE TABLE environments (
  id text PRIMARY KEY,
  project_id text NOT NULL REFERENCES projects,
  name text NOT NULL,
  runner_image text,
  memory_mb integer,
  cpus double precision,
  network text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  UNIQUE (project_id, name)
);

CREATE TABLE deployments (
  id text PRIMARY KEY,
  project_id text NOT NULL REFERENCES projects,
  digest text NOT NULL,
  size_bytes bigint NOT NULL,
  file_count integer NOT NULL,
  deployed_by text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX deployments_newest ON deployments (project_id, created_at DESC);

CREATE TABLE jobs (
  id text PRIMARY KEY,
  project_id text NOT NULL REFERENCES projects,
  environment_id text NOT NULL REFERENCES environments,
  name text NOT NULL,
  command text NOT NULL,
  timeout_seconds integer NOT NULL CHECK (timeout_seconds > 0),
  max_parallel_runs integer NOT NULL CHECK (max_parallel_runs > 0),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  deleted_at timestamptz(3),
  webhook_enabled boolean NOT NULL DEFAULT false,
  webhook_url text,
  webhook_events text[] NOT NULL DEFAULT '{}',
  webhook_headers text,
  webhook_secret text
);
CREATE UNIQUE INDEX jobs_one_name ON jobs (project_id, name) WHERE deleted_at IS NULL;

CREATE TABLE runs (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations,
  project_id text NOT NULL REFERENCES projects,
  job_id text NOT NULL REFERENCES jobs,
  deployment_id text NOT NULL REFERENCES deployments,
  name text NOT NULL,
  command text NOT NULL,
  command_override text,
  triggered_by text NOT NULL CHECK (triggered_by IN ('manual', 'schedule', 'api', 'event', 'retry')),
  cause text,
  metadata jsonb,
  settings jsonb NOT NULL,
  status text NOT NULL CHECK (status IN ('queued', 'running', 'success', 'partial', 'failed', 'error')),
  status_reason text,
  error_message text,
  exit_code integer,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  started_at timestamptz(3),
  finished_at timestamptz(3),
  duration_ms bigint,
  lease_token text,
  lease_expires_at timestamptz(3),
  fence integer NOT NULL DEFAULT 0,
  worker_name text,
  launched_at timestamptz(3),
  container_id text,
  nodes_total integer,
  log_bytes bigint NOT NULL DEFAULT 0,
  log_truncated boolean NOT NULL DEFAULT false,
  CHECK ((status = 'running') = (lease_token IS NOT NULL)),
  CHECK ((status IN ('queued', 'running')) = (finished_at IS NULL))
);
CREATE INDEX runs_newest ON runs (organization_id, created_at DESC, id DESC);
CREATE INDEX runs_of_job ON runs (job_id, created_at DESC);
CREATE INDEX runs_open ON runs (job_id, created_at) WHERE status IN ('queued', 'running');

CREATE TABLE idempotency_keys (
  organization_id text NOT NULL REFERENCES organizations,
  key text NOT NULL,
  request_hash bytea NOT NULL,
  run_id text NOT NULL REFERENCES runs DEFERRABLE INITIALLY DEFERRED,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, key)
);

CREATE TABLE node_results (
  run_id text NOT NULL REFERENCES runs,
  unique_id text NOT NULL,
  resource_type text NOT NULL,
  status text NOT NULL,
  started_at timestamptz(3),
  finished_at timestamptz(3),
  duration_seconds double precision,
  rows_affected bigint,
  message text,
  thread text,
  PRIMARY KEY (run_id, unique_id)
);

CREATE TABLE log_chunks (
  run_id text NOT NULL REFERENCES runs,
  starts_at bigint NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (run_id, starts_at)
);

CREATE TABLE artifacts (
  run_id text NOT NULL REFERENCES runs,
  path text NOT NULL,
  size_bytes bigint NOT NULL,
  PRIMARY KEY (run_id, path)
);

CREATE TABLE deliveries (
  id text PRIMARY KEY,
  run_id text NOT NULL REFERENCES runs,
  job_id text NOT NULL REFERENCES jobs,
  kind text NOT NULL CHECK (kind IN ('run_finished')),
  event text NOT NULL,
  url text NOT NULL,
  body text NOT NULL,
  headers text NOT NULL,
  secret text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'failed', 'blocked', 'unknown')),
  sending_since timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX deliveries_once ON deliveries (run_id, kind);
CREATE INDEX deliveries_of_job ON deliveries (job_id, created_at DESC);
CREATE INDEX deliveries_open ON deliveries (created_at) WHERE state IN ('pending', 'sending');

CREATE TABLE delivery_tries (
  delivery_id text NOT NULL REFERENCES deliveries,
  number integer NOT NULL,
  started_at timestamptz(3) NOT NULL DEFAULT now(),
  status_code integer,
  duration_ms integer,
  answer text,
  result text,
  explanation text,
  PRIMARY KEY (delivery_id, number)
);
