-- What a deployment's project came to when its packages were installed and it was parsed, once for each environment and
-- each set of options that parsing depends on.
CREATE TABLE preparations (
  id text PRIMARY KEY,
  deployment_id text NOT NULL REFERENCES deployments (id),
  environment_id text NOT NULL REFERENCES environments (id),
  -- Words of a command, such as --vars and what follows it.
  options text[] NOT NULL DEFAULT ARRAY[]::text[],
  state text NOT NULL CHECK (state IN ('pending', 'preparing', 'ready', 'failed')),
  -- A keyed digest of all else that parsing depends on: variables, secrets, profile, image.
  parsed_with text,
  -- sha256 of the stored tar of packages and of what dbt remembers of a parsed project; NULL: there is none.
  digest text,
  size_bytes bigint,
  -- Whether a manifest is stored beside it.
  has_manifest boolean NOT NULL DEFAULT false,
  error_message text,
  -- The end of what dbt printed.
  output text,
  dbt_version text,
  attempts integer NOT NULL DEFAULT 0,
  requested_at timestamptz(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  started_at timestamptz(3),
  finished_at timestamptz(3),
  lease_token text,
  lease_expires_at timestamptz(3),
  UNIQUE (deployment_id, environment_id, options)
);
CREATE INDEX preparations_open ON preparations (requested_at) WHERE state IN ('pending', 'preparing');

ALTER TABLE runs
  -- The preparation whose manifest stands for the one that dbt was told not to write.
  ADD COLUMN preparation_id text REFERENCES preparations (id) ON DELETE SET NULL,
  -- The run has ended, and its artifacts are still to be stored.
  ADD COLUMN artifacts_pending boolean NOT NULL DEFAULT false;
CREATE INDEX runs_artifacts_pending ON runs (finished_at) WHERE artifacts_pending;
-- Of the runs whose container may be there still: that of a container that was made ahead tells of none.
CREATE INDEX runs_in_containers ON runs (container_id) WHERE container_id IS NOT NULL AND container_gone_at IS NULL;
-- Lists of runs, narrowed to statuses or a job: each is read from where the page begins.
CREATE INDEX runs_by_status ON runs (organization_id, status, created_at DESC, id DESC);
DROP INDEX runs_in_trouble;
CREATE INDEX runs_of_job_by_status ON runs (job_id, status, created_at DESC, id DESC);
DROP INDEX runs_of_job;
-- Few among many: how many of a job's runs execute, and whose lease is over. Those that wait may be very many.
CREATE INDEX runs_running ON runs (job_id) WHERE status = 'running';
