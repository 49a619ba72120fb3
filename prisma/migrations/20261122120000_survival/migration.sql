-- Containers and volumes carry this id: what another installation left on the same engine is left alone.
CREATE TABLE installation (
  id text PRIMARY KEY DEFAULT gen_random_uuid()::text,
  is_only_one boolean NOT NULL DEFAULT true UNIQUE CHECK (is_only_one)
);
INSERT INTO installation DEFAULT VALUES;

-- Why a run is there
ALTER TABLE runs
  -- How often the same work was tried, this time included; and the run that this one retries.
  ADD COLUMN attempt integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
  ADD COLUMN retry_of text REFERENCES runs (id),
  -- The run of another job whose end made this one begin.
  ADD COLUMN after_run text REFERENCES runs (id),
  -- The time of its job's schedule that it stands for.
  ADD COLUMN scheduled_for timestamptz(3),
  -- Nobody takes it earlier.
  ADD COLUMN not_before timestamptz(3),
  -- Whether it was triggered with an Idempotency-Key: somebody counts on this very run.
  ADD COLUMN has_key boolean NOT NULL DEFAULT false,
  -- The newer run that took its place while it was queued.
  ADD COLUMN replaced_by text REFERENCES runs (id);
CREATE UNIQUE INDEX runs_one_of_a_time ON runs (job_id, scheduled_for) WHERE scheduled_for IS NOT NULL;
CREATE UNIQUE INDEX runs_one_after_a_run ON runs (after_run, job_id) WHERE after_run IS NOT NULL;
CREATE INDEX runs_retries ON runs (retry_of) WHERE retry_of IS NOT NULL;

-- Where it executes, and how it was stopped
ALTER TABLE runs
  ADD COLUMN engine_id text,
  ADD COLUMN interrupted_at timestamptz(3),
  ADD COLUMN killed_at timestamptz(3),
  ADD COLUMN container_gone_at timestamptz(3),
  -- What dbt said when it was interrupted, line by line.
  ADD COLUMN last_words text[] NOT NULL DEFAULT ARRAY[]::text[];

-- What a run_results.json is made of
ALTER TABLE run_steps
  -- dbt's own arguments, as it writes them.
  ADD COLUMN arguments jsonb,
  ADD COLUMN invocation_id text,
  ADD COLUMN program_version text;
ALTER TABLE node_results
  ADD COLUMN failures bigint,
  ADD COLUMN adapter_response jsonb,
  ADD COLUMN timing jsonb,
  ADD COLUMN relation_name text;

-- When a job runs by itself
ALTER TABLE jobs
  ADD COLUMN schedule_cron text,
  ADD COLUMN schedule_timezone text,
  ADD COLUMN schedule_missed text CHECK (schedule_missed IN ('run_once', 'skip')),
  ADD COLUMN schedule_next_at timestamptz(3),
  -- Why the last time that was due made no run. NULL: it made one.
  ADD COLUMN schedule_problem text,
  -- How often a run that could not be brought to its end is retried by itself, and after how long.
  ADD COLUMN retry_attempts integer NOT NULL DEFAULT 0 CHECK (retry_attempts BETWEEN 0 AND 10),
  ADD COLUMN retry_delay_seconds integer NOT NULL DEFAULT 60 CHECK (retry_delay_seconds >= 0),
  ADD COLUMN replace_queued boolean NOT NULL DEFAULT false,
  ADD CHECK ((schedule_cron IS NULL) = (schedule_timezone IS NULL AND schedule_missed IS NULL AND schedule_next_at IS NULL));
CREATE INDEX jobs_due ON jobs (schedule_next_at) WHERE schedule_next_at IS NOT NULL AND deleted_at IS NULL;

-- Jobs that run when another one has ended
CREATE TABLE job_followers (
  job_id text NOT NULL REFERENCES jobs (id),
  after_job_id text NOT NULL REFERENCES jobs (id),
  statuses text[] NOT NULL CHECK (cardinality(statuses) > 0),
  PRIMARY KEY (job_id, after_job_id),
  CHECK (job_id <> after_job_id)
);
CREATE INDEX job_followers_of ON job_followers (after_job_id);

-- Where it was asked from
ALTER TABLE audit_events ADD COLUMN address text;
