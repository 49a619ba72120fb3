-- Organizations, people, tokens
ALTER TABLE organizations ADD COLUMN retention_days integer;

ALTER TABLE users
  ADD COLUMN is_server_admin boolean NOT NULL DEFAULT false,
  -- Part of every session: raising it ends them all.
  ADD COLUMN session_version integer NOT NULL DEFAULT 0;
UPDATE users SET is_server_admin = true WHERE email = 'admin@dctl.localhost';

ALTER TABLE memberships
  ADD COLUMN created_at timestamptz(3) NOT NULL DEFAULT now();
CREATE INDEX memberships_of_user ON memberships (user_id);

ALTER TABLE api_tokens
  ADD COLUMN created_by text,
  ADD COLUMN last_used_at timestamptz(3),
  -- Names the secret key that the hash was made with; NULL: made before keys had names.
  ADD COLUMN key_id text;
CREATE INDEX api_tokens_of_organization ON api_tokens (organization_id, created_at DESC, id DESC);

CREATE TABLE audit_events (
  id text PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organizations (id),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  actor_kind text NOT NULL,
  actor_id text,
  actor_name text NOT NULL,
  action text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  details jsonb
);
CREATE INDEX audit_events_newest ON audit_events (organization_id, created_at DESC, id DESC);
-- What was noted stays as it was noted.
CREATE FUNCTION audit_events_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit events are never changed or removed';
END $$;
CREATE TRIGGER audit_events_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION audit_events_are_kept();

-- Projects, deployments
ALTER TABLE projects
  ADD COLUMN deleted_at timestamptz(3),
  -- The deployment that runs use from now on; since when, and who chose it.
  ADD COLUMN deployment_id text REFERENCES deployments (id),
  ADD COLUMN deployment_since timestamptz(3),
  ADD COLUMN deployment_by text;
ALTER TABLE projects DROP CONSTRAINT projects_organization_id_name_key;
ALTER TABLE projects DROP CONSTRAINT projects_type_check, ADD CHECK (type IN ('dbt', 'sqlmesh'));
CREATE UNIQUE INDEX projects_one_name ON projects (organization_id, name) WHERE deleted_at IS NULL;

ALTER TABLE deployments ADD COLUMN pruned_at timestamptz(3);

UPDATE projects SET (deployment_id, deployment_since, deployment_by) = (
  SELECT id, created_at, deployed_by FROM deployments
  WHERE project_id = projects.id ORDER BY created_at DESC, id DESC LIMIT 1);

-- Environments
ALTER TABLE environments
  ADD COLUMN target text,
  ADD COLUMN threads integer,
  ADD COLUMN timeout_seconds integer,
  ADD COLUMN has_data_volume boolean NOT NULL DEFAULT true,
  ADD COLUMN env_vars jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN connection jsonb,
  ADD COLUMN connection_secrets text,
  ADD COLUMN deleted_at timestamptz(3);
ALTER TABLE environments DROP CONSTRAINT environments_project_id_name_key;
CREATE UNIQUE INDEX environments_one_name ON environments (project_id, name) WHERE deleted_at IS NULL;

CREATE TABLE environment_secrets (
  environment_id text NOT NULL REFERENCES environments (id),
  name text NOT NULL,
  value text NOT NULL,
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_by text NOT NULL,
  PRIMARY KEY (environment_id, name)
);

-- Jobs with several commands
ALTER TABLE jobs
  ADD COLUMN commands text[] NOT NULL DEFAULT '{}',
  ADD COLUMN enabled boolean NOT NULL DEFAULT true;
UPDATE jobs SET commands = ARRAY[command];
ALTER TABLE jobs DROP COLUMN command, ALTER COLUMN commands DROP DEFAULT;

-- Runs in steps, cancelled or cleared
ALTER TABLE runs
  ADD COLUMN environment_id text,
  -- The name of whoever asked for it. NULL: recorded before that was kept.
  ADD COLUMN requested_by text,
  ADD COLUMN cancel_requested_at timestamptz(3),
  ADD COLUMN cancelled_by text,
  -- Set when log and artifacts were removed because they were older than the organization keeps them.
  ADD COLUMN cleared_at timestamptz(3);
UPDATE runs SET environment_id = jobs.environment_id FROM jobs WHERE jobs.id = runs.job_id;
ALTER TABLE runs ALTER COLUMN environment_id SET NOT NULL;
UPDATE runs SET settings = settings - 'argv' || jsonb_build_object(
  'steps', jsonb_build_array(jsonb_build_object('command', COALESCE(command_override, command), 'argv', settings -> 'argv')),
  'environment', settings -> 'environment' || jsonb_build_object('id', environment_id)
    || '{"target": null, "threads": null, "timeoutSeconds": null, "envVars": {}, "hasDataVolume": true, "connection": null}');
CREATE INDEX runs_of_project ON runs (project_id, created_at DESC, id DESC);
CREATE INDEX runs_of_environment ON runs (environment_id, created_at DESC, id DESC);
-- Few among many: what people look for first.
CREATE INDEX runs_in_trouble ON runs (organization_id, created_at DESC, id DESC)
  WHERE status IN ('partial', 'failed', 'error');
CREATE INDEX runs_to_clear ON runs (organization_id, finished_at) WHERE cleared_at IS NULL AND finished_at IS NOT NULL;

CREATE TABLE run_steps (
  run_id text NOT NULL REFERENCES runs (id),
  number integer NOT NULL,
  status text NOT NULL,
  exit_code integer,
  error_message text,
  started_at timestamptz(3),
  finished_at timestamptz(3),
  -- Where the step's part of the run's log begins, in bytes. NULL: not known, or left out of a log that is too long.
  log_from bigint,
  PRIMARY KEY (run_id, number)
);
INSERT INTO run_steps (run_id, number, status, exit_code, error_message, started_at, finished_at, log_from)
  SELECT id, 1, CASE WHEN status IN ('success', 'error') THEN status ELSE 'failed' END, exit_code, error_message,
    started_at, finished_at, 0
  FROM runs WHERE launched_at IS NOT NULL AND finished_at IS NOT NULL;

ALTER TABLE node_results ADD COLUMN step integer NOT NULL DEFAULT 1;
ALTER TABLE node_results DROP CONSTRAINT node_results_pkey, ADD PRIMARY KEY (run_id, step, unique_id);

ALTER TABLE artifacts ADD COLUMN step integer NOT NULL DEFAULT 1;
ALTER TABLE artifacts DROP CONSTRAINT artifacts_pkey, ADD PRIMARY KEY (run_id, step, path);

-- Webhooks sent again, and tried out
ALTER TABLE deliveries
  ALTER COLUMN run_id DROP NOT NULL,
  DROP CONSTRAINT deliveries_kind_check,
  ADD CHECK (kind IN ('run_finished', 'sent_again', 'test')),
  ADD COLUMN sent_again_of text REFERENCES deliveries (id),
  ADD COLUMN requested_by text;
DROP INDEX deliveries_once;
CREATE UNIQUE INDEX deliveries_once ON deliveries (run_id) WHERE kind = 'run_finished';
CREATE INDEX deliveries_of_run ON deliveries (run_id);
