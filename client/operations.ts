// Made from the routes by `npm run docs`.

/**
 * Where the warehouse is. Passwords, keys and tokens are shown as ***, and kept when sent so.
 */
export type Connection =
  | {
      type: 'duckdb';
      path?: string;
      schema?: string;
      /**
       * @maxItems 20
       */
      extensions?: string[];
    }
  | {
      type: 'postgres';
      host: string;
      port?: number;
      user: string;
      password: string;
      dbname: string;
      schema: string;
      sslmode?: 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
    }
  | {
      type: 'redshift';
      host: string;
      port?: number;
      user: string;
      password: string;
      dbname: string;
      schema: string;
      sslmode?: 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';
    }
  | {
      type: 'snowflake';
      account: string;
      user: string;
      password?: string;
      /**
       * PEM, in place of a password
       */
      private_key?: string;
      private_key_passphrase?: string;
      role?: string;
      warehouse: string;
      database: string;
      schema: string;
    }
  | {
      type: 'bigquery';
      project: string;
      dataset: string;
      location?: string;
      /**
       * The service account's JSON key file, as an object
       */
      keyfile_json: {
        type: 'service_account';
        project_id: string;
        private_key_id?: string;
        private_key: string;
        client_email: string;
        client_id?: string;
        auth_uri?: string;
        token_uri: string;
        auth_provider_x509_cert_url?: string;
        client_x509_cert_url?: string;
        universe_domain?: string;
      };
    }
  | {
      type: 'databricks';
      host: string;
      http_path: string;
      token: string;
      catalog?: string;
      schema: string;
    };

export interface Operations {
  /**
   * The organization's projects with their jobs
   */
  listProjects: {
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: Project[];
      next_cursor: string | null;
    };
  };
  /**
   * Make a project
   */
  createProject: {
    body: {
      name: string;
      type?: 'dbt' | 'sqlmesh';
    };
    answer: Project;
  };
  /**
   * A project with its jobs
   */
  getProject: {
    path: {
      project_id: string;
    };
    answer: Project;
  };
  /**
   * Rename a project
   */
  changeProject: {
    path: {
      project_id: string;
    };
    body: {
      name?: string;
    };
    answer: Project;
  };
  /**
   * Delete a project with its jobs, environments and code; its runs stay
   */
  deleteProject: {
    path: {
      project_id: string;
    };
    answer: null;
  };
  /**
   * Deploy a project's code, a .tar.gz of its folder
   */
  deploy: {
    path: {
      project_id: string;
    };
    answer: Deployed;
  };
  /**
   * A project's deployments
   */
  listDeployments: {
    path: {
      project_id: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
      include_pruned?: '0' | '1';
    };
    answer: {
      data: Deployment[];
      next_cursor: string | null;
    };
  };
  /**
   * Remove the files of old deployments
   */
  pruneDeployments: {
    path: {
      project_id: string;
    };
    body: {
      /**
       * So many of the newest stay. The current one and those that runs use stay too.
       */
      keep: number;
    };
    answer: {
      pruned: Deployment[];
    };
  };
  /**
   * A deployment
   */
  getDeployment: {
    path: {
      project_id: string;
      deployment_id: string;
    };
    answer: Deployment;
  };
  /**
   * Remove a deployment's files
   */
  pruneDeployment: {
    path: {
      project_id: string;
      deployment_id: string;
    };
    answer: null;
  };
  /**
   * Use a deployment for runs from now on: roll back or forward
   */
  activateDeployment: {
    path: {
      project_id: string;
      deployment_id: string;
    };
    answer: Deployment;
  };
  /**
   * Install its packages and parse its project once more
   */
  prepareDeployment: {
    path: {
      project_id: string;
      deployment_id: string;
    };
    answer: Deployment;
  };
  /**
   * A project's environments
   */
  listEnvironments: {
    path: {
      project_id: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: Environment[];
      next_cursor: string | null;
    };
  };
  /**
   * Make an environment
   */
  createEnvironment: {
    path: {
      project_id: string;
    };
    body: {
      name: string;
      runner_image?: string | null;
      /**
       * One of the project's own profile; with a connection, what the target is called
       */
      target?: string | null;
      threads?: number | null;
      /**
       * dbt's environment variables. A change replaces them all.
       */
      env_vars?: {
        [k: string]: string | undefined;
      };
      /**
       * No run in it takes longer
       */
      timeout_seconds?: number | null;
      memory_mb?: number | null;
      cpus?: number | null;
      network?: string | null;
      /**
       * Whether its runs share a disk at /data
       */
      has_data_volume?: boolean;
      /**
       * Where the warehouse is, for a generated profile; null: the project brings its profiles.yml
       */
      connection?: Connection | null;
    };
    answer: Environment;
  };
  /**
   * An environment
   */
  getEnvironment: {
    path: {
      project_id: string;
      environment_id: string;
    };
    answer: Environment;
  };
  /**
   * Change what dbt is run with: image, memory, variables, warehouse
   */
  changeEnvironment: {
    path: {
      project_id: string;
      environment_id: string;
    };
    body: {
      name?: string;
      runner_image?: string | null;
      /**
       * One of the project's own profile; with a connection, what the target is called
       */
      target?: string | null;
      threads?: number | null;
      /**
       * dbt's environment variables. A change replaces them all.
       */
      env_vars?: {
        [k: string]: string | undefined;
      };
      /**
       * No run in it takes longer
       */
      timeout_seconds?: number | null;
      memory_mb?: number | null;
      cpus?: number | null;
      network?: string | null;
      /**
       * Whether its runs share a disk at /data
       */
      has_data_volume?: boolean;
      /**
       * Where the warehouse is, for a generated profile; null: the project brings its profiles.yml
       */
      connection?: Connection | null;
    };
    answer: Environment;
  };
  /**
   * Delete an environment that no job runs in; its secrets are gone for good
   */
  deleteEnvironment: {
    path: {
      project_id: string;
      environment_id: string;
    };
    answer: null;
  };
  /**
   * The names of an environment's secrets
   */
  listSecrets: {
    path: {
      project_id: string;
      environment_id: string;
    };
    answer: {
      data: EnvironmentSecret[];
      next_cursor: string | null;
    };
  };
  /**
   * Set an environment variable whose value is never shown
   */
  setSecret: {
    path: {
      project_id: string;
      environment_id: string;
      name: string;
    };
    body: {
      value: string;
    };
    answer: EnvironmentSecret;
  };
  /**
   * Delete a secret
   */
  deleteSecret: {
    path: {
      project_id: string;
      environment_id: string;
      name: string;
    };
    answer: null;
  };
  /**
   * A project's jobs
   */
  listJobs: {
    path: {
      project_id: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: Job[];
      next_cursor: string | null;
    };
  };
  /**
   * Make a job
   */
  createJob: {
    path: {
      project_id: string;
    };
    body: {
      name: string;
      /**
       * The command of dbt or SQLMesh, as it is typed
       */
      command?: string;
      /**
       * In place of command: several, run in order up to the first that fails
       *
       * @minItems 1
       * @maxItems 20
       */
      commands?: [string, ...string[]];
      /**
       * A job that is not enabled takes no triggers
       */
      enabled?: boolean;
      /**
       * For people
       */
      description?: string;
      /**
       * One of the project's environments; production when left out
       */
      environment_id?: string;
      /**
       * A run that takes longer is ended
       */
      timeout_seconds?: number;
      /**
       * Further runs wait their turn
       */
      max_parallel_runs?: number;
      /**
       * When it runs by itself; null: it does not
       */
      schedule?: {
        /**
         * Five fields, or @daily and the like
         */
        cron: string;
        /**
         * Where the clock hangs
         */
        timezone?: string;
        /**
         * Times that passed while nothing was up: run once when it is up again, or skip them
         */
        missed?: 'run_once' | 'skip';
      } | null;
      /**
       * It runs as well when one of these jobs has ended so
       *
       * @maxItems 20
       */
      run_after?: {
        job_id: string;
        /**
         * The statuses that count
         *
         * @minItems 1
         */
        statuses?: [
          'success' | 'partial' | 'failed' | 'error',
          ...('success' | 'partial' | 'failed' | 'error')[],
        ];
      }[];
      /**
       * Of runs that could not be brought to their end through no fault of their own
       */
      automatic_retries?: {
        /**
         * How often at most; 0: never
         */
        attempts: number;
        /**
         * How long each waits before it begins
         */
        delay_seconds?: number;
      };
      /**
       * In place of the environment's; where the environment has a connection, what its target is called
       */
      target?: string | null;
      /**
       * In place of the environment's
       */
      threads?: number | null;
      /**
       * A run ends with dbt docs generate
       */
      generate_docs?: boolean;
      /**
       * A run begins with dbt source freshness, which may fail
       */
      generate_sources?: boolean;
      /**
       * A new run takes the place of a queued one with the same command; not where either has an Idempotency-Key
       */
      replace_queued?: boolean;
      /**
       * Whether webhooks are sent.
       */
      webhook_enabled?: boolean;
      /**
       * Where to POST when a run ends.
       */
      webhook_url?: string | null;
      /**
       * Headers sent along with every webhook, for authentication.
       */
      webhook_headers?: {
        [k: string]: string | undefined;
      };
      /**
       * How to sign in to a receiver that no fixed header will do for; null: not at all
       */
      webhook_auth?: {
        /**
         * A token of Airflow 3 is fetched, kept and renewed
         */
        type: 'airflow_jwt';
        /**
         * Where it is fetched; /auth/token on the webhook's host when left out
         */
        token_url?: string;
        username: string;
        /**
         * Shown as ***, which sent back keeps it
         */
        password: string;
      } | null;
      /**
       * Which ends of a run are told. Empty means all of them.
       */
      webhook_events?: ('completed' | 'failed' | 'partial')[];
    };
    answer: Job;
  };
  /**
   * A job
   */
  getJob: {
    path: {
      project_id: string;
      job_id: string;
    };
    answer: Job;
  };
  /**
   * Change a job, among others its webhook
   */
  changeJob: {
    path: {
      project_id: string;
      job_id: string;
    };
    body: {
      name?: string;
      /**
       * The command of dbt or SQLMesh, as it is typed
       */
      command?: string;
      /**
       * In place of command: several, run in order up to the first that fails
       *
       * @minItems 1
       * @maxItems 20
       */
      commands?: [string, ...string[]];
      /**
       * A job that is not enabled takes no triggers
       */
      enabled?: boolean;
      /**
       * For people
       */
      description?: string;
      /**
       * One of the project's environments; production when left out
       */
      environment_id?: string;
      /**
       * A run that takes longer is ended
       */
      timeout_seconds?: number;
      /**
       * Further runs wait their turn
       */
      max_parallel_runs?: number;
      /**
       * When it runs by itself; null: it does not
       */
      schedule?: {
        /**
         * Five fields, or @daily and the like
         */
        cron: string;
        /**
         * Where the clock hangs
         */
        timezone?: string;
        /**
         * Times that passed while nothing was up: run once when it is up again, or skip them
         */
        missed?: 'run_once' | 'skip';
      } | null;
      /**
       * It runs as well when one of these jobs has ended so
       *
       * @maxItems 20
       */
      run_after?: {
        job_id: string;
        /**
         * The statuses that count
         *
         * @minItems 1
         */
        statuses?: [
          'success' | 'partial' | 'failed' | 'error',
          ...('success' | 'partial' | 'failed' | 'error')[],
        ];
      }[];
      /**
       * Of runs that could not be brought to their end through no fault of their own
       */
      automatic_retries?: {
        /**
         * How often at most; 0: never
         */
        attempts: number;
        /**
         * How long each waits before it begins
         */
        delay_seconds?: number;
      };
      /**
       * In place of the environment's; where the environment has a connection, what its target is called
       */
      target?: string | null;
      /**
       * In place of the environment's
       */
      threads?: number | null;
      /**
       * A run ends with dbt docs generate
       */
      generate_docs?: boolean;
      /**
       * A run begins with dbt source freshness, which may fail
       */
      generate_sources?: boolean;
      /**
       * A new run takes the place of a queued one with the same command; not where either has an Idempotency-Key
       */
      replace_queued?: boolean;
      /**
       * Whether webhooks are sent.
       */
      webhook_enabled?: boolean;
      /**
       * Where to POST when a run ends.
       */
      webhook_url?: string | null;
      /**
       * Headers sent along with every webhook, for authentication.
       */
      webhook_headers?: {
        [k: string]: string | undefined;
      };
      /**
       * How to sign in to a receiver that no fixed header will do for; null: not at all
       */
      webhook_auth?: {
        /**
         * A token of Airflow 3 is fetched, kept and renewed
         */
        type: 'airflow_jwt';
        /**
         * Where it is fetched; /auth/token on the webhook's host when left out
         */
        token_url?: string;
        username: string;
        /**
         * Shown as ***, which sent back keeps it
         */
        password: string;
      } | null;
      /**
       * Which ends of a run are told. Empty means all of them.
       */
      webhook_events?: ('completed' | 'failed' | 'partial')[];
    };
    answer: Job;
  };
  /**
   * Delete a job; its runs stay
   */
  deleteJob: {
    path: {
      project_id: string;
      job_id: string;
    };
    answer: null;
  };
  /**
   * Send a test to where the job's webhooks go
   */
  testWebhook: {
    path: {
      project_id: string;
      job_id: string;
    };
    answer: {
      id: string;
      /**
       * Of `run_finished` there is at most one a run; of `run_event` one of each event, a run and a subscription; of `hook` one a run and a hook.
       */
      kind: 'run_finished' | 'run_event' | 'hook' | 'sent_again' | 'test';
      /**
       * null for a test
       */
      run_id: string | null;
      /**
       * null for a test of a subscription
       */
      job_id: string | null;
      /**
       * Whose event it is; null: it is the job's own webhook, or of a hook
       */
      subscription_id: string | null;
      /**
       * Whose request it is; null: it is a webhook
       */
      hook_id: string | null;
      event:
        | 'job.completed'
        | 'job.partial'
        | 'job.failed'
        | 'job.run.started'
        | 'job.run.completed'
        | 'job.run.errored';
      /**
       * Of a hook with *** in place of secrets
       */
      url: string;
      /**
       * `held`: it waits until what its run left can be read. `unknown`: a worker died while sending; it is not sent again by itself.
       */
      state: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
      /**
       * The earlier delivery, for `sent_again`
       */
      sent_again_of: string | null;
      /**
       * Who asked for it; null for what a run made be sent
       */
      requested_by: string | null;
      created_at: string;
      tries: {
        number: number;
        started_at: string;
        status_code: number | null;
        duration_ms: number | null;
        /**
         * The first 2 KiB of what the receiver answered.
         */
        answer: string | null;
        result: ('answered' | 'timed_out' | 'blocked' | 'failed') | null;
        /**
         * What came of it, and why it was or was not retried.
         */
        explanation: string | null;
      }[];
    };
  };
  /**
   * The secret that the job's webhooks are signed with; who asked is noted
   */
  revealWebhookSecret: {
    path: {
      project_id: string;
      job_id: string;
    };
    answer: {
      webhook_secret: string;
      /**
       * Until then webhooks are signed with the secret before this one as well; null: they are not
       */
      previous_until: string | null;
    };
  };
  /**
   * Make a new signing secret; for a while webhooks are signed with the old one as well
   */
  rotateWebhookSecret: {
    path: {
      project_id: string;
      job_id: string;
    };
    body: {
      /**
       * How long webhooks are signed with the old secret as well; 0: not at all
       */
      overlap_hours?: number;
    };
    answer: {
      webhook_secret: string;
      /**
       * Until then webhooks are signed with the secret before this one as well; null: they are not
       */
      previous_until: string | null;
    };
  };
  /**
   * The next times of a schedule, for whoever is typing one
   */
  checkSchedule: {
    body: {
      /**
       * Five fields, or @daily and the like
       */
      cron: string;
      /**
       * Where the clock hangs
       */
      timezone?: string;
      /**
       * How many times to tell; those of a rare day are fewer
       */
      count?: number;
    };
    answer:
      | {
          accepted: true;
          /**
           * From now on, the nearest first
           */
          next_times: string[];
        }
      | {
          accepted: false;
          problems: {
            field: 'cron' | 'timezone';
            /**
             * What is wrong, and what to write instead
             */
            detail: string;
          }[];
        };
  };
  /**
   * Send a webhook once more, to where the job's webhooks go now
   */
  sendDeliveryAgain: {
    path: {
      delivery_id: string;
    };
    answer: {
      id: string;
      /**
       * Of `run_finished` there is at most one a run; of `run_event` one of each event, a run and a subscription; of `hook` one a run and a hook.
       */
      kind: 'run_finished' | 'run_event' | 'hook' | 'sent_again' | 'test';
      /**
       * null for a test
       */
      run_id: string | null;
      /**
       * null for a test of a subscription
       */
      job_id: string | null;
      /**
       * Whose event it is; null: it is the job's own webhook, or of a hook
       */
      subscription_id: string | null;
      /**
       * Whose request it is; null: it is a webhook
       */
      hook_id: string | null;
      event:
        | 'job.completed'
        | 'job.partial'
        | 'job.failed'
        | 'job.run.started'
        | 'job.run.completed'
        | 'job.run.errored';
      /**
       * Of a hook with *** in place of secrets
       */
      url: string;
      /**
       * `held`: it waits until what its run left can be read. `unknown`: a worker died while sending; it is not sent again by itself.
       */
      state: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
      /**
       * The earlier delivery, for `sent_again`
       */
      sent_again_of: string | null;
      /**
       * Who asked for it; null for what a run made be sent
       */
      requested_by: string | null;
      created_at: string;
      tries: {
        number: number;
        started_at: string;
        status_code: number | null;
        duration_ms: number | null;
        /**
         * The first 2 KiB of what the receiver answered.
         */
        answer: string | null;
        result: ('answered' | 'timed_out' | 'blocked' | 'failed') | null;
        /**
         * What came of it, and why it was or was not retried.
         */
        explanation: string | null;
      }[];
    };
  };
  /**
   * Whether a job may have a command, for whoever is typing one
   */
  checkCommand: {
    body: {
      command: string;
      /**
       * The type of the command's project
       */
      type?: 'dbt' | 'sqlmesh';
    };
    answer:
      | {
          accepted: true;
          /**
           * As it would be kept: without the spaces around it
           */
          command: string;
          /**
           * What dbt or SQLMesh gets, word by word
           */
          words: string[];
        }
      | {
          accepted: false;
          /**
           * What is wrong, and what to write instead
           */
          detail: string;
          /**
           * Where in the text, in UTF-16 units; its length where something is missing at the end
           */
          position: number;
        };
  };
  /**
   * Run a job now
   */
  triggerRun: {
    path: {
      project_id: string;
      job_id: string;
    };
    body: {
      /**
       * Run this in place of the job's command, once
       */
      command_override?: string;
      /**
       * Why, for people: shown with the run and in its webhook
       */
      cause?: string;
      /**
       * The caller's own facts: shown with the run and in its webhook
       */
      metadata?: {
        [k: string]: string | number | boolean | undefined;
      };
    };
    answer: Triggered;
  };
  /**
   * How a job has done lately: how long, how well, and what took longest
   */
  getJobTrends: {
    path: {
      project_id: string;
      job_id: string;
    };
    query?: {
      /**
       * How many of the last runs that came to an end to look at
       */
      runs?: number;
    };
    answer: JobTrends;
  };
  /**
   * What the jobs of the organization usually take
   */
  listUsualDurations: {
    answer: {
      data: {
        job_id: string;
        /**
         * The median of the last 20 good runs of all that the job does
         */
        usual_duration_seconds: number;
        runs: number;
      }[];
      next_cursor: string | null;
    };
  };
  /**
   * The organization's runs, or those of them that the filters name
   */
  listRuns: {
    query?: {
      limit?: number;
      cursor?: string;
      project_id?: string;
      job_id?: string;
      environment_id?: string;
      /**
       * One or more of queued, running, success, partial, failed, error, with commas between them
       */
      status?: string | string[];
      /**
       * One or more of manual, schedule, api, event, retry, with commas between them
       */
      triggered_by?: string | string[];
      /**
       * Only runs recorded then or later; ISO 8601 with a zone
       */
      created_after?: string;
      /**
       * Only runs recorded earlier; ISO 8601 with a zone
       */
      created_before?: string;
    };
    answer: {
      data: Run[];
      next_cursor: string | null;
    };
  };
  /**
   * A run
   */
  getRun: {
    path: {
      run_id: string;
    };
    answer: Run;
  };
  /**
   * End a run that waits or executes
   */
  cancelRun: {
    path: {
      run_id: string;
    };
    answer: Run;
  };
  /**
   * Run what a run has left undone: its nodes that failed, were skipped or never began
   */
  retryRun: {
    path: {
      run_id: string;
    };
    body: {
      /**
       * Why, for people: shown with the run and in its webhook
       */
      cause?: string;
      /**
       * The caller's own facts: shown with the run and in its webhook
       */
      metadata?: {
        [k: string]: string | number | boolean | undefined;
      };
    };
    answer: Triggered;
  };
  /**
   * What a run printed; follow it live with follow=1 or Accept: text/event-stream
   */
  getRunLog: {
    path: {
      run_id: string;
    };
    query?: {
      /**
       * One step's alone, by its number
       */
      step?: number;
      /**
       * 1: stay, and send what comes until the run has ended
       */
      follow?: '0' | '1' | 'true' | 'false';
    };
    answer: string;
  };
  /**
   * What became of each of dbt's nodes, live
   */
  listRunNodes: {
    path: {
      run_id: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
      /**
       * One step's alone, by its number
       */
      step?: number;
    };
    answer: {
      data: NodeResult[];
      next_cursor: string | null;
    };
  };
  /**
   * The files dbt left; of several steps the newest of each path
   */
  listRunArtifacts: {
    path: {
      run_id: string;
    };
    query?: {
      /**
       * One step's alone, by its number
       */
      step?: number;
    };
    answer: {
      data: Artifact[];
      next_cursor: string | null;
    };
  };
  /**
   * dbt's documentation of a project as its last dbt docs generate left it, for browsers
   */
  getProjectDocs: {
    path: {
      organization_id: string;
      project_id: string;
    };
    query?: {
      /**
       * As this run left it, in place of the last
       */
      run_id?: string;
    };
    answer: string;
  };
  /**
   * One file, such as manifest.json or compiled/...
   */
  getRunArtifact: {
    path: {
      run_id: string;
      path: string;
    };
    query?: {
      /**
       * One step's alone, by its number
       */
      step?: number;
    };
    answer: string;
  };
  /**
   * A job's webhooks and what became of each try
   */
  listDeliveries: {
    path: {
      project_id: string;
      job_id: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
      run_id?: string;
      state?: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
    };
    answer: {
      data: {
        id: string;
        /**
         * Of `run_finished` there is at most one a run; of `run_event` one of each event, a run and a subscription; of `hook` one a run and a hook.
         */
        kind: 'run_finished' | 'run_event' | 'hook' | 'sent_again' | 'test';
        /**
         * null for a test
         */
        run_id: string | null;
        /**
         * null for a test of a subscription
         */
        job_id: string | null;
        /**
         * Whose event it is; null: it is the job's own webhook, or of a hook
         */
        subscription_id: string | null;
        /**
         * Whose request it is; null: it is a webhook
         */
        hook_id: string | null;
        event:
          | 'job.completed'
          | 'job.partial'
          | 'job.failed'
          | 'job.run.started'
          | 'job.run.completed'
          | 'job.run.errored';
        /**
         * Of a hook with *** in place of secrets
         */
        url: string;
        /**
         * `held`: it waits until what its run left can be read. `unknown`: a worker died while sending; it is not sent again by itself.
         */
        state: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
        /**
         * The earlier delivery, for `sent_again`
         */
        sent_again_of: string | null;
        /**
         * Who asked for it; null for what a run made be sent
         */
        requested_by: string | null;
        created_at: string;
        tries: {
          number: number;
          started_at: string;
          status_code: number | null;
          duration_ms: number | null;
          /**
           * The first 2 KiB of what the receiver answered.
           */
          answer: string | null;
          result: ('answered' | 'timed_out' | 'blocked' | 'failed') | null;
          /**
           * What came of it, and why it was or was not retried.
           */
          explanation: string | null;
        }[];
      }[];
      next_cursor: string | null;
    };
  };
  /**
   * A run's webhooks, and those sent again
   */
  listDeliveriesOfRun: {
    path: {
      run_id: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: {
        id: string;
        /**
         * Of `run_finished` there is at most one a run; of `run_event` one of each event, a run and a subscription; of `hook` one a run and a hook.
         */
        kind: 'run_finished' | 'run_event' | 'hook' | 'sent_again' | 'test';
        /**
         * null for a test
         */
        run_id: string | null;
        /**
         * null for a test of a subscription
         */
        job_id: string | null;
        /**
         * Whose event it is; null: it is the job's own webhook, or of a hook
         */
        subscription_id: string | null;
        /**
         * Whose request it is; null: it is a webhook
         */
        hook_id: string | null;
        event:
          | 'job.completed'
          | 'job.partial'
          | 'job.failed'
          | 'job.run.started'
          | 'job.run.completed'
          | 'job.run.errored';
        /**
         * Of a hook with *** in place of secrets
         */
        url: string;
        /**
         * `held`: it waits until what its run left can be read. `unknown`: a worker died while sending; it is not sent again by itself.
         */
        state: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
        /**
         * The earlier delivery, for `sent_again`
         */
        sent_again_of: string | null;
        /**
         * Who asked for it; null for what a run made be sent
         */
        requested_by: string | null;
        created_at: string;
        tries: {
          number: number;
          started_at: string;
          status_code: number | null;
          duration_ms: number | null;
          /**
           * The first 2 KiB of what the receiver answered.
           */
          answer: string | null;
          result: ('answered' | 'timed_out' | 'blocked' | 'failed') | null;
          /**
           * What came of it, and why it was or was not retried.
           */
          explanation: string | null;
        }[];
      }[];
      next_cursor: string | null;
    };
  };
  /**
   * What a webhook subscription told, and what became of each try
   */
  listDeliveriesOfSubscription: {
    path: {
      subscription_id: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
      state?: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
    };
    answer: {
      data: {
        id: string;
        /**
         * Of `run_finished` there is at most one a run; of `run_event` one of each event, a run and a subscription; of `hook` one a run and a hook.
         */
        kind: 'run_finished' | 'run_event' | 'hook' | 'sent_again' | 'test';
        /**
         * null for a test
         */
        run_id: string | null;
        /**
         * null for a test of a subscription
         */
        job_id: string | null;
        /**
         * Whose event it is; null: it is the job's own webhook, or of a hook
         */
        subscription_id: string | null;
        /**
         * Whose request it is; null: it is a webhook
         */
        hook_id: string | null;
        event:
          | 'job.completed'
          | 'job.partial'
          | 'job.failed'
          | 'job.run.started'
          | 'job.run.completed'
          | 'job.run.errored';
        /**
         * Of a hook with *** in place of secrets
         */
        url: string;
        /**
         * `held`: it waits until what its run left can be read. `unknown`: a worker died while sending; it is not sent again by itself.
         */
        state: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
        /**
         * The earlier delivery, for `sent_again`
         */
        sent_again_of: string | null;
        /**
         * Who asked for it; null for what a run made be sent
         */
        requested_by: string | null;
        created_at: string;
        tries: {
          number: number;
          started_at: string;
          status_code: number | null;
          duration_ms: number | null;
          /**
           * The first 2 KiB of what the receiver answered.
           */
          answer: string | null;
          result: ('answered' | 'timed_out' | 'blocked' | 'failed') | null;
          /**
           * What came of it, and why it was or was not retried.
           */
          explanation: string | null;
        }[];
      }[];
      next_cursor: string | null;
    };
  };
  /**
   * A webhook, what it says, and what became of each try
   */
  getDelivery: {
    path: {
      delivery_id: string;
    };
    answer: {
      id: string;
      /**
       * Of `run_finished` there is at most one a run; of `run_event` one of each event, a run and a subscription; of `hook` one a run and a hook.
       */
      kind: 'run_finished' | 'run_event' | 'hook' | 'sent_again' | 'test';
      /**
       * null for a test
       */
      run_id: string | null;
      /**
       * null for a test of a subscription
       */
      job_id: string | null;
      /**
       * Whose event it is; null: it is the job's own webhook, or of a hook
       */
      subscription_id: string | null;
      /**
       * Whose request it is; null: it is a webhook
       */
      hook_id: string | null;
      event:
        | 'job.completed'
        | 'job.partial'
        | 'job.failed'
        | 'job.run.started'
        | 'job.run.completed'
        | 'job.run.errored';
      /**
       * Of a hook with *** in place of secrets
       */
      url: string;
      /**
       * `held`: it waits until what its run left can be read. `unknown`: a worker died while sending; it is not sent again by itself.
       */
      state: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
      /**
       * The earlier delivery, for `sent_again`
       */
      sent_again_of: string | null;
      /**
       * Who asked for it; null for what a run made be sent
       */
      requested_by: string | null;
      created_at: string;
      tries: {
        number: number;
        started_at: string;
        status_code: number | null;
        duration_ms: number | null;
        /**
         * The first 2 KiB of what the receiver answered.
         */
        answer: string | null;
        result: ('answered' | 'timed_out' | 'blocked' | 'failed') | null;
        /**
         * What came of it, and why it was or was not retried.
         */
        explanation: string | null;
      }[];
      /**
       * What is sent
       */
      body: string;
    };
  };
  /**
   * Values that hooks name
   */
  listVariables: {
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: Variable[];
      next_cursor: string | null;
    };
  };
  /**
   * Make a value that hooks name
   */
  createVariable: {
    body: {
      /**
       * Templates say ${{variables.name}}
       */
      name: string;
      /**
       * Anybody in the organization may read it
       */
      value: string;
    };
    answer: Variable;
  };
  /**
   * A variable
   */
  getVariable: {
    path: {
      variable_id: string;
    };
    answer: Variable;
  };
  /**
   * Change a variable; a name that a hook names stays
   */
  changeVariable: {
    path: {
      variable_id: string;
    };
    body: {
      /**
       * Templates say ${{variables.name}}
       */
      name?: string;
      /**
       * Anybody in the organization may read it
       */
      value?: string;
    };
    answer: Variable;
  };
  /**
   * Delete a variable that no hook names
   */
  deleteVariable: {
    path: {
      variable_id: string;
    };
    answer: null;
  };
  /**
   * The names of values that hooks name and nobody reads
   */
  listOrchestrationSecrets: {
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: OrchestrationSecret[];
      next_cursor: string | null;
    };
  };
  /**
   * Make a value that hooks name and nobody reads
   */
  createOrchestrationSecret: {
    body: {
      /**
       * Templates say ${{secrets.name}}
       */
      name: string;
      /**
       * Never readable again
       */
      value: string;
    };
    answer: OrchestrationSecret;
  };
  /**
   * A secret without its value
   */
  getOrchestrationSecret: {
    path: {
      secret_id: string;
    };
    answer: OrchestrationSecret;
  };
  /**
   * Change a secret; a name that a hook names stays
   */
  changeOrchestrationSecret: {
    path: {
      secret_id: string;
    };
    body: {
      /**
       * Templates say ${{secrets.name}}
       */
      name?: string;
      /**
       * Never readable again
       */
      value?: string;
    };
    answer: OrchestrationSecret;
  };
  /**
   * Delete a secret that no hook names
   */
  deleteOrchestrationSecret: {
    path: {
      secret_id: string;
    };
    answer: null;
  };
  /**
   * Requests that are sent when runs end
   */
  listHooks: {
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: Hook[];
      next_cursor: string | null;
    };
  };
  /**
   * Make a hook: a request of your own that is sent when a run has ended and all rules hold
   */
  createHook: {
    body: {
      description?: string;
      /**
       * Whether it is sent
       */
      is_active?: boolean;
      method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
      /**
       * A template, as header and body are: ${{variables.name}}, ${{secrets.name}}, ${{run.NAME}}. Values of a run are percent-encoded; in the host they may not stand
       */
      url: string;
      /**
       * Sent along. Shown as ***, which sent back keeps it, unless nothing of the value can be a secret: write credentials as ${{secrets.name}}
       */
      header?: {
        [k: string]: string | undefined;
      };
      /**
       * Sent as JSON. null: none, as always with GET and DELETE
       */
      body?:
        | (
            | {
                [k: string]: unknown | undefined;
              }
            | unknown[]
          )
        | null;
      /**
       * How to sign in to an Airflow 3, as with webhooks of jobs; null: not at all
       */
      auth?: {
        /**
         * A token of Airflow 3 is fetched, kept and renewed
         */
        type: 'airflow_jwt';
        /**
         * Where it is fetched; /auth/token on the webhook's host when left out
         */
        token_url?: string;
        username: string;
        /**
         * Shown as ***, which sent back keeps it
         */
        password: string;
      } | null;
      /**
       * All of them hold, or nothing is sent. variable_name is a name of ${{run.NAME}}
       *
       * @maxItems 50
       */
      rules?: {
        /**
         * What is looked at
         */
        variable_name: string;
        operation:
          | 'EQUAL'
          | 'NOT_EQUAL'
          | 'GREATER_THAN'
          | 'GREATER_THAN_OR_EQUAL'
          | 'LESS_THAN'
          | 'LESS_THAN_OR_EQUAL'
          | 'CONTAINS'
          | 'IN';
        value: (string | number | boolean | null) | (string | number | boolean | null)[];
      }[];
      /**
       * Ids of the jobs whose runs it follows. Empty: all of the organization
       *
       * @maxItems 1000
       */
      jobs?: string[];
    };
    answer: Hook;
  };
  /**
   * What a hook that is not saved would send at the end of a run that was; nothing is sent
   */
  previewNewHook: {
    body: {
      hook: {
        description?: string;
        /**
         * Whether it is sent
         */
        is_active?: boolean;
        method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
        /**
         * A template, as header and body are: ${{variables.name}}, ${{secrets.name}}, ${{run.NAME}}. Values of a run are percent-encoded; in the host they may not stand
         */
        url: string;
        /**
         * Sent along. Shown as ***, which sent back keeps it, unless nothing of the value can be a secret: write credentials as ${{secrets.name}}
         */
        header?: {
          [k: string]: string | undefined;
        };
        /**
         * Sent as JSON. null: none, as always with GET and DELETE
         */
        body?:
          | (
              | {
                  [k: string]: unknown | undefined;
                }
              | unknown[]
            )
          | null;
        /**
         * How to sign in to an Airflow 3, as with webhooks of jobs; null: not at all
         */
        auth?: {
          /**
           * A token of Airflow 3 is fetched, kept and renewed
           */
          type: 'airflow_jwt';
          /**
           * Where it is fetched; /auth/token on the webhook's host when left out
           */
          token_url?: string;
          username: string;
          /**
           * Shown as ***, which sent back keeps it
           */
          password: string;
        } | null;
        /**
         * All of them hold, or nothing is sent. variable_name is a name of ${{run.NAME}}
         *
         * @maxItems 50
         */
        rules?: {
          /**
           * What is looked at
           */
          variable_name: string;
          operation:
            | 'EQUAL'
            | 'NOT_EQUAL'
            | 'GREATER_THAN'
            | 'GREATER_THAN_OR_EQUAL'
            | 'LESS_THAN'
            | 'LESS_THAN_OR_EQUAL'
            | 'CONTAINS'
            | 'IN';
          value: (string | number | boolean | null) | (string | number | boolean | null)[];
        }[];
        /**
         * Ids of the jobs whose runs it follows. Empty: all of the organization
         *
         * @maxItems 1000
         */
        jobs?: string[];
      };
      run_id: string;
    };
    answer: HookPreview;
  };
  /**
   * A hook
   */
  getHook: {
    path: {
      hook_id: string;
    };
    answer: Hook;
  };
  /**
   * Change a hook; what is left out stays
   */
  changeHook: {
    path: {
      hook_id: string;
    };
    body: {
      description?: string;
      /**
       * Whether it is sent
       */
      is_active?: boolean;
      method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
      /**
       * A template, as header and body are: ${{variables.name}}, ${{secrets.name}}, ${{run.NAME}}. Values of a run are percent-encoded; in the host they may not stand
       */
      url?: string;
      /**
       * Sent along. Shown as ***, which sent back keeps it, unless nothing of the value can be a secret: write credentials as ${{secrets.name}}
       */
      header?: {
        [k: string]: string | undefined;
      };
      /**
       * Sent as JSON. null: none, as always with GET and DELETE
       */
      body?:
        | (
            | {
                [k: string]: unknown | undefined;
              }
            | unknown[]
          )
        | null;
      /**
       * How to sign in to an Airflow 3, as with webhooks of jobs; null: not at all
       */
      auth?: {
        /**
         * A token of Airflow 3 is fetched, kept and renewed
         */
        type: 'airflow_jwt';
        /**
         * Where it is fetched; /auth/token on the webhook's host when left out
         */
        token_url?: string;
        username: string;
        /**
         * Shown as ***, which sent back keeps it
         */
        password: string;
      } | null;
      /**
       * All of them hold, or nothing is sent. variable_name is a name of ${{run.NAME}}
       *
       * @maxItems 50
       */
      rules?: {
        /**
         * What is looked at
         */
        variable_name: string;
        operation:
          | 'EQUAL'
          | 'NOT_EQUAL'
          | 'GREATER_THAN'
          | 'GREATER_THAN_OR_EQUAL'
          | 'LESS_THAN'
          | 'LESS_THAN_OR_EQUAL'
          | 'CONTAINS'
          | 'IN';
        value: (string | number | boolean | null) | (string | number | boolean | null)[];
      }[];
      /**
       * Ids of the jobs whose runs it follows. Empty: all of the organization
       *
       * @maxItems 1000
       */
      jobs?: string[];
    };
    answer: Hook;
  };
  /**
   * Delete a hook; its deliveries stay readable
   */
  deleteHook: {
    path: {
      hook_id: string;
    };
    answer: null;
  };
  /**
   * What a hook would send at the end of a run that was; nothing is sent
   */
  previewHook: {
    path: {
      hook_id: string;
    };
    body: {
      run_id: string;
    };
    answer: HookPreview;
  };
  /**
   * What a hook sent, and what became of each try
   */
  listDeliveriesOfHook: {
    path: {
      hook_id: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
      state?: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
    };
    answer: {
      data: {
        id: string;
        /**
         * Of `run_finished` there is at most one a run; of `run_event` one of each event, a run and a subscription; of `hook` one a run and a hook.
         */
        kind: 'run_finished' | 'run_event' | 'hook' | 'sent_again' | 'test';
        /**
         * null for a test
         */
        run_id: string | null;
        /**
         * null for a test of a subscription
         */
        job_id: string | null;
        /**
         * Whose event it is; null: it is the job's own webhook, or of a hook
         */
        subscription_id: string | null;
        /**
         * Whose request it is; null: it is a webhook
         */
        hook_id: string | null;
        event:
          | 'job.completed'
          | 'job.partial'
          | 'job.failed'
          | 'job.run.started'
          | 'job.run.completed'
          | 'job.run.errored';
        /**
         * Of a hook with *** in place of secrets
         */
        url: string;
        /**
         * `held`: it waits until what its run left can be read. `unknown`: a worker died while sending; it is not sent again by itself.
         */
        state: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
        /**
         * The earlier delivery, for `sent_again`
         */
        sent_again_of: string | null;
        /**
         * Who asked for it; null for what a run made be sent
         */
        requested_by: string | null;
        created_at: string;
        tries: {
          number: number;
          started_at: string;
          status_code: number | null;
          duration_ms: number | null;
          /**
           * The first 2 KiB of what the receiver answered.
           */
          answer: string | null;
          result: ('answered' | 'timed_out' | 'blocked' | 'failed') | null;
          /**
           * What came of it, and why it was or was not retried.
           */
          explanation: string | null;
        }[];
      }[];
      next_cursor: string | null;
    };
  };
  /**
   * Bring an event of a source: its id, or with an API token also its name
   */
  receiveEvent: {
    path: {
      id: string;
    };
    /**
     * Any JSON object of at most 256 KiB
     */
    body: {
      [k: string]: unknown | undefined;
    };
    answer: AcceptedEvent;
  };
  /**
   * Why an event made a job run, or did not
   */
  getEvent: {
    path: {
      id: string;
    };
    answer: EventDetails;
  };
  /**
   * Events that came, and what each rule made of them
   */
  listEvents: {
    query?: {
      limit?: number;
      cursor?: string;
      source_id?: string;
      /**
       * Only events that this rule judged
       */
      rule_id?: string;
      /**
       * Only events of which a rule made this
       */
      verdict?: 'no_match' | 'gathering' | 'run' | 'refused';
    };
    answer: {
      data: Event[];
      next_cursor: string | null;
    };
  };
  /**
   * The events that made a run begin
   */
  listEventsOfRun: {
    path: {
      run_id: string;
    };
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: Event[];
      next_cursor: string | null;
    };
  };
  /**
   * Where events come from
   */
  listEventSources: {
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: EventSource[];
      next_cursor: string | null;
    };
  };
  /**
   * Make an event source
   */
  createEventSource: {
    body: {
      name: string;
      /**
       * Where an event has its own id; null: in the header or field that such senders use
       */
      id_field?: string | null;
      /**
       * Whether events are taken
       */
      is_active?: boolean;
      /**
       * How a request shows where it comes from: with the source’s token, or signed as Standard Webhooks, GitHub or Stripe do
       */
      auth: 'token' | 'standard_webhooks' | 'github' | 'stripe';
      /**
       * What the sender signs with, where it says so itself; left out: one is made
       */
      secret?: string;
    };
    answer: {
      id: string;
      name: string;
      /**
       * Where an event has its own id; null: in the header or field that such senders use
       */
      id_field: string | null;
      /**
       * Whether events are taken
       */
      is_active: boolean;
      auth: 'token' | 'standard_webhooks' | 'github' | 'stripe';
      created_at: string;
      updated_at: string;
      /**
       * The token, or what the sender signs with. It is shown this once
       */
      secret: string;
    };
  };
  /**
   * An event source
   */
  getEventSource: {
    path: {
      source_id: string;
    };
    answer: EventSource;
  };
  /**
   * Change an event source
   */
  changeEventSource: {
    path: {
      source_id: string;
    };
    body: {
      name?: string;
      /**
       * Where an event has its own id; null: in the header or field that such senders use
       */
      id_field?: string | null;
      /**
       * Whether events are taken
       */
      is_active?: boolean;
    };
    answer: EventSource;
  };
  /**
   * Delete an event source that no rule looks at; its events stay
   */
  deleteEventSource: {
    path: {
      source_id: string;
    };
    answer: null;
  };
  /**
   * Give an event source another secret: the earlier one counts no more
   */
  rotateEventSourceSecret: {
    path: {
      source_id: string;
    };
    body: {
      /**
       * What the sender signs with, where it says so itself; left out: one is made
       */
      secret?: string;
    };
    answer: {
      id: string;
      name: string;
      /**
       * Where an event has its own id; null: in the header or field that such senders use
       */
      id_field: string | null;
      /**
       * Whether events are taken
       */
      is_active: boolean;
      auth: 'token' | 'standard_webhooks' | 'github' | 'stripe';
      created_at: string;
      updated_at: string;
      /**
       * The token, or what the sender signs with. It is shown this once
       */
      secret: string;
    };
  };
  /**
   * Which events make which job run
   */
  listEventRules: {
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: EventRule[];
      next_cursor: string | null;
    };
  };
  /**
   * Make an event rule
   */
  createEventRule: {
    body: {
      name: string;
      source_id: string;
      /**
       * Whether events are judged
       */
      is_active?: boolean;
      /**
       * On fields of the event, by their dotted paths. All of them hold, or nothing follows
       *
       * @maxItems 50
       */
      conditions?: {
        /**
         * What is looked at
         */
        variable_name: string;
        operation:
          | 'EQUAL'
          | 'NOT_EQUAL'
          | 'GREATER_THAN'
          | 'GREATER_THAN_OR_EQUAL'
          | 'LESS_THAN'
          | 'LESS_THAN_OR_EQUAL'
          | 'CONTAINS'
          | 'IN';
        value: (string | number | boolean | null) | (string | number | boolean | null)[];
      }[];
      project_id?: string;
      job_id: string;
      /**
       * In place of the job's commands. ${{event.<path>}} may stand for a value of an option
       */
      command_override?: string | null;
      cause?: string | null;
      metadata?: {
        [k: string]: string | number | boolean | undefined;
      } | null;
      /**
       * Events are gathered for so long after the first one, and make one run; null: each makes a run
       */
      window_seconds?: number | null;
      /**
       * The window closes as soon as all of these values have arrived
       */
      window_until?: {
        variable_name: string;
        /**
         * @minItems 1
         * @maxItems 100
         */
        values: [string | number | boolean, ...(string | number | boolean)[]];
      } | null;
    };
    answer: EventRule;
  };
  /**
   * What a rule would have made of the events that came; nothing is recorded
   */
  previewEventRule: {
    body: {
      /**
       * One that is not stored
       */
      rule?: {
        name: string;
        source_id: string;
        /**
         * Whether events are judged
         */
        is_active?: boolean;
        /**
         * On fields of the event, by their dotted paths. All of them hold, or nothing follows
         *
         * @maxItems 50
         */
        conditions?: {
          /**
           * What is looked at
           */
          variable_name: string;
          operation:
            | 'EQUAL'
            | 'NOT_EQUAL'
            | 'GREATER_THAN'
            | 'GREATER_THAN_OR_EQUAL'
            | 'LESS_THAN'
            | 'LESS_THAN_OR_EQUAL'
            | 'CONTAINS'
            | 'IN';
          value: (string | number | boolean | null) | (string | number | boolean | null)[];
        }[];
        project_id?: string;
        job_id: string;
        /**
         * In place of the job's commands. ${{event.<path>}} may stand for a value of an option
         */
        command_override?: string | null;
        cause?: string | null;
        metadata?: {
          [k: string]: string | number | boolean | undefined;
        } | null;
        /**
         * Events are gathered for so long after the first one, and make one run; null: each makes a run
         */
        window_seconds?: number | null;
        /**
         * The window closes as soon as all of these values have arrived
         */
        window_until?: {
          variable_name: string;
          /**
           * @minItems 1
           * @maxItems 100
           */
          values: [string | number | boolean, ...(string | number | boolean)[]];
        } | null;
      };
      /**
       * One that is
       */
      rule_id?: string;
      /**
       * What would be changed of it
       */
      changes?: {
        name?: string;
        source_id?: string;
        /**
         * Whether events are judged
         */
        is_active?: boolean;
        /**
         * On fields of the event, by their dotted paths. All of them hold, or nothing follows
         *
         * @maxItems 50
         */
        conditions?: {
          /**
           * What is looked at
           */
          variable_name: string;
          operation:
            | 'EQUAL'
            | 'NOT_EQUAL'
            | 'GREATER_THAN'
            | 'GREATER_THAN_OR_EQUAL'
            | 'LESS_THAN'
            | 'LESS_THAN_OR_EQUAL'
            | 'CONTAINS'
            | 'IN';
          value: (string | number | boolean | null) | (string | number | boolean | null)[];
        }[];
        project_id?: string;
        job_id?: string;
        /**
         * In place of the job's commands. ${{event.<path>}} may stand for a value of an option
         */
        command_override?: string | null;
        cause?: string | null;
        metadata?: {
          [k: string]: string | number | boolean | undefined;
        } | null;
        /**
         * Events are gathered for so long after the first one, and make one run; null: each makes a run
         */
        window_seconds?: number | null;
        /**
         * The window closes as soon as all of these values have arrived
         */
        window_until?: {
          variable_name: string;
          /**
           * @minItems 1
           * @maxItems 100
           */
          values: [string | number | boolean, ...(string | number | boolean)[]];
        } | null;
      };
      /**
       * How far back to look
       */
      days?: number;
    };
    answer: EventRulePreview;
  };
  /**
   * An event rule
   */
  getEventRule: {
    path: {
      rule_id: string;
    };
    answer: EventRule;
  };
  /**
   * Change an event rule
   */
  changeEventRule: {
    path: {
      rule_id: string;
    };
    body: {
      name?: string;
      source_id?: string;
      /**
       * Whether events are judged
       */
      is_active?: boolean;
      /**
       * On fields of the event, by their dotted paths. All of them hold, or nothing follows
       *
       * @maxItems 50
       */
      conditions?: {
        /**
         * What is looked at
         */
        variable_name: string;
        operation:
          | 'EQUAL'
          | 'NOT_EQUAL'
          | 'GREATER_THAN'
          | 'GREATER_THAN_OR_EQUAL'
          | 'LESS_THAN'
          | 'LESS_THAN_OR_EQUAL'
          | 'CONTAINS'
          | 'IN';
        value: (string | number | boolean | null) | (string | number | boolean | null)[];
      }[];
      project_id?: string;
      job_id?: string;
      /**
       * In place of the job's commands. ${{event.<path>}} may stand for a value of an option
       */
      command_override?: string | null;
      cause?: string | null;
      metadata?: {
        [k: string]: string | number | boolean | undefined;
      } | null;
      /**
       * Events are gathered for so long after the first one, and make one run; null: each makes a run
       */
      window_seconds?: number | null;
      /**
       * The window closes as soon as all of these values have arrived
       */
      window_until?: {
        variable_name: string;
        /**
         * @minItems 1
         * @maxItems 100
         */
        values: [string | number | boolean, ...(string | number | boolean)[]];
      } | null;
    };
    answer: EventRule;
  };
  /**
   * Delete an event rule; what it made of events stays
   */
  deleteEventRule: {
    path: {
      rule_id: string;
    };
    answer: null;
  };
  /**
   * The organizations that the caller belongs to
   */
  listOrganizations: {
    answer: {
      data: Organization[];
      next_cursor: string | null;
    };
  };
  /**
   * Make an organization with its first admin (signed-in server admins only)
   */
  createOrganization: {
    body: {
      name: string;
      admin_email: string;
    };
    answer: CreatedOrganization;
  };
  /**
   * An organization
   */
  getOrganization: {
    path: {
      organization_id: string;
    };
    answer: Organization;
  };
  /**
   * Change the name of an organization, or how long it keeps what runs left
   */
  changeOrganization: {
    path: {
      organization_id: string;
    };
    body: {
      name?: string;
      retention_days?: number | null;
    };
    answer: Organization;
  };
  /**
   * The organization's people and their roles
   */
  listUsers: {
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: User[];
      next_cursor: string | null;
    };
  };
  /**
   * Make somebody a member of the organization
   */
  addUser: {
    body: {
      email: string;
      /**
       * viewer reads, operator triggers too, admin does everything
       */
      role: 'viewer' | 'operator' | 'admin';
      /**
       * for somebody new to the server; without it one is made and told in the answer
       */
      password?: string;
    };
    answer: AddedUser;
  };
  /**
   * Change a user's role
   */
  changeUser: {
    path: {
      user_id: string;
    };
    body: {
      /**
       * viewer reads, operator triggers too, admin does everything
       */
      role: 'viewer' | 'operator' | 'admin';
    };
    answer: User;
  };
  /**
   * Remove somebody from the organization
   */
  removeUser: {
    path: {
      user_id: string;
    };
    answer: null;
  };
  /**
   * Invitations that nobody has come with yet
   */
  listInvitations: {
    query?: {
      limit?: number;
      cursor?: string;
    };
    answer: {
      data: Invitation[];
      next_cursor: string | null;
    };
  };
  /**
   * Make a link with which somebody becomes a member; it is good for a week
   */
  inviteUser: {
    body: {
      email: string;
      /**
       * viewer reads, operator triggers too, admin does everything
       */
      role: 'viewer' | 'operator' | 'admin';
    };
    answer: MadeInvitation;
  };
  /**
   * Take an invitation back
   */
  withdrawInvitation: {
    path: {
      invitation_id: string;
    };
    answer: null;
  };
  /**
   * What an invitation is to, for whoever has its link
   */
  lookUpInvitation: {
    body: {
      /**
       * What the link ends in, behind the #
       */
      token: string;
    };
    answer: ShownInvitation;
  };
  /**
   * Become a member, and be signed in
   */
  acceptInvitation: {
    body: {
      /**
       * What the link ends in, behind the #
       */
      token: string;
      /**
       * For an invitation that names none
       */
      email?: string;
      /**
       * The one you want, of 12 characters or more; the one you have, where the server knows you
       */
      password: string;
    };
    answer: Session;
  };
  /**
   * The organization's API tokens
   */
  listTokens: {
    query?: {
      limit?: number;
      cursor?: string;
      /**
       * 1: those that are revoked or expired too
       */
      include_revoked?: '0' | '1';
    };
    answer: {
      data: Token[];
      next_cursor: string | null;
    };
  };
  /**
   * Make a token; its text is in this answer and never again
   */
  createToken: {
    body: {
      name: string;
      /**
       * read < trigger < admin
       */
      scope: 'read' | 'trigger' | 'admin';
      /**
       * in the future; without it the token is good until it is revoked
       */
      expires_at?: string | null;
    };
    answer: CreatedToken;
  };
  /**
   * A token
   */
  getToken: {
    path: {
      token_id: string;
    };
    answer: Token;
  };
  /**
   * Revoke a token, from the next request on: any as admin, itself with whatever scope
   */
  revokeToken: {
    path: {
      token_id: string;
    };
    answer: null;
  };
  /**
   * Sign in: sets the cookie dctl_session, good for twelve hours
   */
  signIn: {
    body: {
      email: string;
      password: string;
    };
    answer: Session;
  };
  /**
   * Who is signed in, and their organizations
   */
  getSession: {
    answer: Session;
  };
  /**
   * Sign out: removes the cookie
   */
  signOut: {
    answer: null;
  };
  /**
   * End all sessions of whoever is signed in, wherever they are
   */
  endAllSessions: {
    answer: null;
  };
  /**
   * Change one's password: ends all sessions but a new one
   */
  changePassword: {
    body: {
      current_password: string;
      new_password: string;
    };
    answer: Session;
  };
  /**
   * How people can sign in here
   */
  listSignInWays: {
    answer: SignInWays;
  };
  /**
   * Send a browser to the OpenID provider to sign in there
   */
  beginOpenId: {
    query?: {
      /**
       * Where in the console to go then
       */
      to?: string;
    };
    answer: null;
  };
  /**
   * Where the OpenID provider sends browsers back to
   */
  endOpenId: {
    query?: {
      state?: string;
      code?: string;
      error?: string;
    };
    answer: null;
  };
  /**
   * Who did what in the organization
   */
  listAuditEvents: {
    query?: {
      limit?: number;
      cursor?: string;
      /**
       * only this one, such as job.changed
       */
      action?: string;
      /**
       * only what was done to the thing with this id
       */
      subject_id?: string;
      /**
       * only what was asked for from this address
       */
      address?: string;
    };
    answer: {
      data: AuditEvent[];
      next_cursor: string | null;
    };
  };
}
export interface Project {
  id: string;
  name: string;
  type: string;
  created_at: string;
  /**
   * What runs use from now on: since when, and who chose it
   */
  deployment: {
    id: string;
    since: string;
    by: string;
  } | null;
  jobs: {
    id: string;
    name: string;
    command: string;
  }[];
}
export interface Deployed {
  id: string;
  digest: string;
  /**
   * The project's first job, made by its first deployment
   */
  job_id: string;
}
export interface Deployment {
  id: string;
  project_id: string;
  /**
   * sha256 of the deployed files, whatever order they were packed in
   */
  digest: string;
  size_bytes: number;
  file_count: number;
  deployed_by: string;
  created_at: string;
  /**
   * Whether runs use it from now on
   */
  is_current: boolean;
  /**
   * Its files were removed then
   */
  pruned_at: string | null;
  /**
   * What it was prepared for, so that its runs begin sooner
   */
  preparations: Preparation[];
}
/**
 * A deployment with its packages installed and its project parsed, for an environment
 */
export interface Preparation {
  environment_id: string;
  /**
   * Its name
   */
  environment: string;
  /**
   * The words of the command that parsing depends on, such as --vars
   */
  options: string[];
  state: 'pending' | 'preparing' | 'ready' | 'failed';
  /**
   * Why it failed, in the words of dbt
   */
  error_message: string | null;
  /**
   * The end of what dbt printed; not in lists
   */
  output?: string;
  requested_at: string;
  finished_at: string | null;
  dbt_version: string | null;
}
/**
 * What dbt is run with. null means the server's default.
 */
export interface Environment {
  id: string;
  project_id: string;
  name: string;
  runner_image: string | null;
  target: string | null;
  threads: number | null;
  env_vars: {
    [k: string]: string | undefined;
  };
  timeout_seconds: number | null;
  memory_mb: number | null;
  cpus: number | null;
  network: string | null;
  has_data_volume: boolean;
  /**
   * Its passwords, keys and tokens are shown as ***
   */
  connection: {
    [k: string]: unknown | undefined;
  } | null;
  created_at: string;
}
/**
 * Its value is never shown
 */
export interface EnvironmentSecret {
  name: string;
  updated_at: string;
  updated_by: string;
}
export interface Job {
  id: string;
  project_id: string;
  environment_id: string;
  name: string;
  description: string;
  /**
   * Several commands are shown joined by &&
   */
  command: string;
  commands: string[];
  enabled: boolean;
  timeout_seconds: number;
  max_parallel_runs: number;
  schedule: {
    cron: string;
    timezone: string;
    missed: 'run_once' | 'skip';
    /**
     * The next time it is due
     */
    next_run_at: string;
    /**
     * Why the last time that was due made no run
     */
    problem: string | null;
  } | null;
  run_after: {
    job_id: string;
    statuses: ('success' | 'partial' | 'failed' | 'error')[];
  }[];
  automatic_retries: {
    attempts: number;
    delay_seconds: number;
  };
  target: string | null;
  threads: number | null;
  generate_docs: boolean;
  generate_sources: boolean;
  replace_queued: boolean;
  created_at: string;
  updated_at: string;
  webhook_enabled: boolean;
  webhook_url: string | null;
  /**
   * Every value is shown as ***
   */
  webhook_headers: {
    [k: string]: string | undefined;
  };
  /**
   * How to sign in to a receiver that no fixed header will do for; null: not at all
   */
  webhook_auth: {
    /**
     * A token of Airflow 3 is fetched, kept and renewed
     */
    type: 'airflow_jwt';
    /**
     * Where it is fetched; /auth/token on the webhook's host when left out
     */
    token_url?: string;
    username: string;
    /**
     * Shown as ***, which sent back keeps it
     */
    password: string;
  } | null;
  webhook_events: ('completed' | 'failed' | 'partial')[];
  /**
   * Until then webhooks are signed with the secret before this one as well; null: they are not
   */
  webhook_previous_secret_until: string | null;
}
export interface Triggered {
  message: 'DBT job run triggered successfully';
  job_run_id: string;
  job_id: string;
  job_name: string;
}
export interface JobTrends {
  usual_duration_seconds: number | null;
  /**
   * 0 to 1; null: no run has come to an end
   */
  success_rate: number | null;
  counts: {
    success: number;
    partial: number;
    failed: number;
    error: number;
  };
  /**
   * Newest first
   */
  runs: {
    id: string;
    status: 'success' | 'partial' | 'failed' | 'error';
    created_at: string;
    duration_seconds: number | null;
  }[];
  /**
   * Of the last 20 of those runs, the slowest first; at most 20. Without what dbt compile and dbt docs generate did
   */
  slowest_nodes: {
    unique_id: string;
    resource_type: string;
    usual_seconds: number;
    longest_seconds: number;
    /**
     * In how many of them it was executed
     */
    runs: number;
  }[];
}
export interface Run {
  id: string;
  name: string;
  job_id: string;
  project_id: string;
  deployment_id: string;
  environment_id: string;
  status: 'queued' | 'running' | 'success' | 'partial' | 'failed' | 'error';
  /**
   * Why, when the status is error
   */
  status_reason:
    | (
        | 'cancelled'
        | 'timed_out'
        | 'out_of_memory'
        | 'killed'
        | 'image_not_found'
        | 'runtime_unavailable'
        | 'could_not_start'
        | 'container_lost'
        | 'engine_restarted'
        | 'worker_lost'
        | 'replaced'
        | 'gave_up'
      )
    | null;
  error_message: string | null;
  command: string;
  command_override: string | null;
  triggered_by: 'manual' | 'schedule' | 'api' | 'event' | 'retry';
  /**
   * The name of whoever asked for it
   */
  requested_by: string | null;
  cause: string | null;
  metadata: {
    [k: string]: string | number | boolean | undefined;
  } | null;
  created_at: string;
  start_time: string | null;
  end_time: string | null;
  duration_seconds: number | null;
  exit_code: number | null;
  /**
   * null until dbt has told
   */
  nodes_total: number | null;
  nodes_done: number;
  nodes_succeeded: number;
  nodes_failed: number;
  nodes_skipped: number;
  log_bytes: number;
  log_truncated: boolean;
  /**
   * The run's commands, in their order
   */
  steps: RunStep[];
  /**
   * How often the same work was tried, this run included
   */
  attempt: number;
  /**
   * The run that this one retries
   */
  retry_of: string | null;
  /**
   * The newest run that retries this one
   */
  retried_by: string | null;
  /**
   * The run of another job whose end made this one begin
   */
  after_run: string | null;
  /**
   * The time of its job's schedule that it stands for
   */
  scheduled_for: string | null;
  /**
   * It waits until then
   */
  not_before: string | null;
  /**
   * The newer run that took its place while it was queued
   */
  replaced_by: string | null;
  /**
   * How it was stopped, if it was
   */
  interruption: Interruption | null;
  cancel_requested_at: string | null;
  /**
   * The name of whoever asked for that
   */
  cancelled_by: string | null;
  /**
   * Whether all that the run left is stored: true shortly after its end. Whoever asks for artifacts before waits for that
   */
  artifacts_ready: boolean;
  /**
   * When log and artifacts were removed: they were older than the organization keeps them
   */
  cleared_at: string | null;
}
export interface RunStep {
  number: number;
  command: string;
  status: 'queued' | 'running' | 'success' | 'failed' | 'error' | 'skipped';
  exit_code: number | null;
  error_message: string | null;
  start_time: string | null;
  end_time: string | null;
  nodes_succeeded: number;
  nodes_failed: number;
  nodes_skipped: number;
}
export interface Interruption {
  /**
   * When it was sent SIGINT
   */
  signal_sent_at: string | null;
  /**
   * When it was sent SIGKILL, the grace being over
   */
  kill_sent_at: string | null;
  /**
   * What dbt said of it, line by line
   */
  last_words: string[];
  /**
   * When its container was removed
   */
  container_gone_at: string | null;
}
export interface NodeResult {
  /**
   * The number of the step it belongs to
   */
  step: number;
  unique_id: string;
  resource_type: string;
  /**
   * dbt's own word; queued until it begins, started while it runs
   */
  status: string;
  start_time: string | null;
  end_time: string | null;
  duration_seconds: number | null;
  rows_affected: number | null;
  message: string | null;
  thread: string | null;
}
export interface Artifact {
  path: string;
  size_bytes: number;
  step: number;
}
export interface Variable {
  id: string;
  name: string;
  value: string;
  created_at: string;
  updated_at: string;
}
export interface OrchestrationSecret {
  id: string;
  name: string;
  created_at: string;
  updated_at: string;
}
export interface Hook {
  id: string;
  description: string;
  is_active: boolean;
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  header: {
    [k: string]: string | undefined;
  };
  /**
   * null: none is sent
   */
  body: {
    [k: string]: unknown | undefined;
  };
  /**
   * How to sign in to an Airflow 3, as with webhooks of jobs; null: not at all
   */
  auth: {
    /**
     * A token of Airflow 3 is fetched, kept and renewed
     */
    type: 'airflow_jwt';
    /**
     * Where it is fetched; /auth/token on the webhook's host when left out
     */
    token_url?: string;
    username: string;
    /**
     * Shown as ***, which sent back keeps it
     */
    password: string;
  } | null;
  /**
   * @maxItems 50
   */
  rules: {
    /**
     * What is looked at
     */
    variable_name: string;
    operation:
      | 'EQUAL'
      | 'NOT_EQUAL'
      | 'GREATER_THAN'
      | 'GREATER_THAN_OR_EQUAL'
      | 'LESS_THAN'
      | 'LESS_THAN_OR_EQUAL'
      | 'CONTAINS'
      | 'IN';
    value: (string | number | boolean | null) | (string | number | boolean | null)[];
  }[];
  jobs: string[];
  created_at: string;
  updated_at: string;
}
export interface HookPreview {
  would_send: boolean;
  why_not: string | null;
  rules: {
    /**
     * What is looked at
     */
    variable_name: string;
    operation:
      | 'EQUAL'
      | 'NOT_EQUAL'
      | 'GREATER_THAN'
      | 'GREATER_THAN_OR_EQUAL'
      | 'LESS_THAN'
      | 'LESS_THAN_OR_EQUAL'
      | 'CONTAINS'
      | 'IN';
    value: (string | number | boolean | null) | (string | number | boolean | null)[];
    /**
     * What was there; left out where nothing was
     */
    actual?: {
      [k: string]: unknown | undefined;
    };
    holds: boolean;
  }[];
  /**
   * Values of secrets are ***. null where the templates are not valid
   */
  request: {
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    url: string;
    headers: {
      [k: string]: string | undefined;
    };
    body: unknown;
  } | null;
  problems: {
    pointer: string;
    detail: string;
  }[];
}
export interface AcceptedEvent {
  id: string;
  source_id: string;
  source_name: string;
  /**
   * The sender's own id
   */
  external_id: string | null;
  received_at: string;
  verdicts: EventVerdict[];
  /**
   * It had come before: nothing was done again
   */
  duplicate: boolean;
}
export interface EventVerdict {
  rule_id: string;
  rule_name: string;
  verdict: 'no_match' | 'gathering' | 'run' | 'refused';
  /**
   * Why there is no run
   */
  reason: string | null;
  run_id: string | null;
  /**
   * The events it waited with for one run, or waits
   */
  gathering: {
    id: string;
    opened_at: string;
    closes_at: string;
    closed_at: string | null;
  } | null;
}
export interface EventDetails {
  id: string;
  source_id: string;
  source_name: string;
  /**
   * The sender's own id
   */
  external_id: string | null;
  received_at: string;
  verdicts: {
    rule_id: string;
    rule_name: string;
    verdict: 'no_match' | 'gathering' | 'run' | 'refused';
    /**
     * Why there is no run
     */
    reason: string | null;
    run_id: string | null;
    /**
     * The events it waited with for one run, or waits
     */
    gathering: {
      id: string;
      opened_at: string;
      closes_at: string;
      closed_at: string | null;
    } | null;
    conditions: {
      /**
       * What is looked at
       */
      variable_name: string;
      operation:
        | 'EQUAL'
        | 'NOT_EQUAL'
        | 'GREATER_THAN'
        | 'GREATER_THAN_OR_EQUAL'
        | 'LESS_THAN'
        | 'LESS_THAN_OR_EQUAL'
        | 'CONTAINS'
        | 'IN';
      value: (string | number | boolean | null) | (string | number | boolean | null)[];
      /**
       * What was there; left out where nothing was
       */
      actual?: {
        [k: string]: unknown | undefined;
      };
      holds: boolean;
    }[];
    run: RunOfEvent | null;
  }[];
  /**
   * As it came; whole numbers too long for a JSON number are texts
   */
  data: {
    [k: string]: unknown | undefined;
  };
  /**
   * Why no rule judged it
   */
  note: string | null;
}
export interface RunOfEvent {
  id: string;
  name: string;
  job_id: string;
  status: 'queued' | 'running' | 'success' | 'partial' | 'failed' | 'error';
  triggered_by: 'manual' | 'schedule' | 'api' | 'event' | 'retry';
  cause: string | null;
  error_message: string | null;
  created_at: string;
  end_time: string | null;
  retried_by: string | null;
  /**
   * What it was told with, the newest 50
   */
  deliveries: {
    id: string;
    /**
     * Of `run_finished` there is at most one a run; of `run_event` one of each event, a run and a subscription; of `hook` one a run and a hook.
     */
    kind: 'run_finished' | 'run_event' | 'hook' | 'sent_again' | 'test';
    /**
     * null for a test
     */
    run_id: string | null;
    /**
     * null for a test of a subscription
     */
    job_id: string | null;
    /**
     * Whose event it is; null: it is the job's own webhook, or of a hook
     */
    subscription_id: string | null;
    /**
     * Whose request it is; null: it is a webhook
     */
    hook_id: string | null;
    event:
      | 'job.completed'
      | 'job.partial'
      | 'job.failed'
      | 'job.run.started'
      | 'job.run.completed'
      | 'job.run.errored';
    /**
     * Of a hook with *** in place of secrets
     */
    url: string;
    /**
     * `held`: it waits until what its run left can be read. `unknown`: a worker died while sending; it is not sent again by itself.
     */
    state: 'held' | 'pending' | 'sending' | 'delivered' | 'failed' | 'blocked' | 'unknown';
    /**
     * The earlier delivery, for `sent_again`
     */
    sent_again_of: string | null;
    /**
     * Who asked for it; null for what a run made be sent
     */
    requested_by: string | null;
    created_at: string;
    tries: {
      number: number;
      started_at: string;
      status_code: number | null;
      duration_ms: number | null;
      /**
       * The first 2 KiB of what the receiver answered.
       */
      answer: string | null;
      result: ('answered' | 'timed_out' | 'blocked' | 'failed') | null;
      /**
       * What came of it, and why it was or was not retried.
       */
      explanation: string | null;
    }[];
  }[];
}
export interface Event {
  id: string;
  source_id: string;
  source_name: string;
  /**
   * The sender's own id
   */
  external_id: string | null;
  received_at: string;
  verdicts: EventVerdict[];
}
export interface EventSource {
  id: string;
  name: string;
  /**
   * Where an event has its own id; null: in the header or field that such senders use
   */
  id_field: string | null;
  /**
   * Whether events are taken
   */
  is_active: boolean;
  auth: 'token' | 'standard_webhooks' | 'github' | 'stripe';
  created_at: string;
  updated_at: string;
}
export interface EventRule {
  id: string;
  name: string;
  source_id: string;
  /**
   * Whether events are judged
   */
  is_active: boolean;
  /**
   * On fields of the event, by their dotted paths. All of them hold, or nothing follows
   *
   * @maxItems 50
   */
  conditions: {
    /**
     * What is looked at
     */
    variable_name: string;
    operation:
      | 'EQUAL'
      | 'NOT_EQUAL'
      | 'GREATER_THAN'
      | 'GREATER_THAN_OR_EQUAL'
      | 'LESS_THAN'
      | 'LESS_THAN_OR_EQUAL'
      | 'CONTAINS'
      | 'IN';
    value: (string | number | boolean | null) | (string | number | boolean | null)[];
  }[];
  project_id: string;
  job_id: string;
  /**
   * In place of the job's commands. ${{event.<path>}} may stand for a value of an option
   */
  command_override: string | null;
  cause: string | null;
  metadata: {
    [k: string]: string | number | boolean | undefined;
  } | null;
  /**
   * Events are gathered for so long after the first one, and make one run; null: each makes a run
   */
  window_seconds: number | null;
  /**
   * The window closes as soon as all of these values have arrived
   */
  window_until: {
    variable_name: string;
    /**
     * @minItems 1
     * @maxItems 100
     */
    values: [string | number | boolean, ...(string | number | boolean)[]];
  } | null;
  created_at: string;
  updated_at: string;
}
export interface EventRulePreview {
  /**
   * How many the source has had meanwhile
   */
  events: number;
  /**
   * There are more: only the newest were looked at
   */
  is_cut: boolean;
  matched: number;
  would_run: number;
  /**
   * The first 200
   */
  runs: {
    /**
     * When it would have been recorded
     */
    at: string;
    /**
     * null where there would be no run
     */
    command: string | null;
    cause: string | null;
    metadata: {
      [k: string]: string | number | boolean | undefined;
    } | null;
    event_count: number;
    /**
     * The first 200
     */
    event_ids: string[];
    /**
     * Why there would be no run
     */
    refused: string | null;
  }[];
}
export interface Organization {
  id: string;
  name: string;
  /**
   * logs and artifacts of runs are kept so long; null: the server's default
   */
  retention_days: number | null;
  created_at: string;
}
export interface CreatedOrganization {
  id: string;
  name: string;
  /**
   * logs and artifacts of runs are kept so long; null: the server's default
   */
  retention_days: number | null;
  created_at: string;
  admin: {
    id: string;
    email: string;
    is_new: boolean;
    /**
     * made for somebody new: told this once
     */
    password?: string;
  };
}
export interface User {
  id: string;
  email: string;
  /**
   * viewer reads, operator triggers too, admin does everything
   */
  role: 'viewer' | 'operator' | 'admin';
  added_at: string;
}
export interface AddedUser {
  id: string;
  email: string;
  /**
   * viewer reads, operator triggers too, admin does everything
   */
  role: 'viewer' | 'operator' | 'admin';
  added_at: string;
  /**
   * false: known to the server before, with a password of their own
   */
  is_new: boolean;
  /**
   * made for somebody new: told this once, and stored as a hash
   */
  password?: string;
}
export interface Invitation {
  id: string;
  /**
   * null: whoever comes says theirs; that is the first start's invitation
   */
  email: string | null;
  role: 'viewer' | 'operator' | 'admin';
  /**
   * The name of whoever made it
   */
  created_by: string;
  created_at: string;
  expires_at: string;
}
export interface MadeInvitation {
  id: string;
  /**
   * null: whoever comes says theirs; that is the first start's invitation
   */
  email: string | null;
  role: 'viewer' | 'operator' | 'admin';
  /**
   * The name of whoever made it
   */
  created_by: string;
  created_at: string;
  expires_at: string;
  /**
   * The link to send: told this once, and good for one person
   */
  url: string;
}
export interface ShownInvitation {
  organization_name: string;
  /**
   * null: you say yours
   */
  email: string | null;
  role: 'viewer' | 'operator' | 'admin';
  /**
   * true: the server knows the e-mail address, and its password is asked for
   */
  has_account: boolean;
  expires_at: string;
}
export interface Session {
  user: {
    id: string;
    email: string;
    /**
     * may make further organizations
     */
    is_server_admin: boolean;
  };
  organizations: {
    id: string;
    name: string;
    role: 'viewer' | 'operator' | 'admin';
  }[];
  expires_at: string;
}
export interface Token {
  id: string;
  name: string;
  /**
   * read < trigger < admin
   */
  scope: 'read' | 'trigger' | 'admin';
  /**
   * how the token begins
   */
  prefix: string;
  /**
   * how it ends
   */
  last_four: string;
  created_by: string | null;
  created_at: string;
  expires_at: string | null;
  /**
   * to the minute
   */
  last_used_at: string | null;
  revoked_at: string | null;
}
export interface CreatedToken {
  id: string;
  name: string;
  /**
   * read < trigger < admin
   */
  scope: 'read' | 'trigger' | 'admin';
  /**
   * how the token begins
   */
  prefix: string;
  /**
   * how it ends
   */
  last_four: string;
  created_by: string | null;
  created_at: string;
  expires_at: string | null;
  /**
   * to the minute
   */
  last_used_at: string | null;
  revoked_at: string | null;
  /**
   * its text: told this once, and stored nowhere
   */
  token: string;
}
export interface SignInWays {
  password: true;
  open_id: {
    /**
     * The provider's host
     */
    name: string;
    /**
     * Where to send the browser; ?to= says where it goes then
     */
    begin_url: string;
  } | null;
}
export interface AuditEvent {
  id: string;
  created_at: string;
  actor: {
    kind: 'token' | 'user' | 'system';
    id: string | null;
    /**
     * the token's name, the user's e-mail address
     */
    name: string;
  };
  action: string;
  subject: {
    kind: string;
    id: string;
  };
  /**
   * where it was asked from; null for what was done in a shell on the server, or by dctl itself
   */
  address: string | null;
  details: {
    [k: string]: unknown | undefined;
  } | null;
}

/** Where each of them is. */

export const places: { readonly [Name in keyof Operations]: string } = {
  listProjects: 'GET /api/v1/projects',
  createProject: 'POST /api/v1/projects',
  getProject: 'GET /api/v1/projects/{project_id}',
  changeProject: 'PATCH /api/v1/projects/{project_id}',
  deleteProject: 'DELETE /api/v1/projects/{project_id}',
  deploy: 'POST /api/v1/projects/{project_id}/deployments',
  listDeployments: 'GET /api/v1/projects/{project_id}/deployments',
  pruneDeployments: 'POST /api/v1/projects/{project_id}/deployments/prune',
  getDeployment: 'GET /api/v1/projects/{project_id}/deployments/{deployment_id}',
  pruneDeployment: 'DELETE /api/v1/projects/{project_id}/deployments/{deployment_id}',
  activateDeployment: 'POST /api/v1/projects/{project_id}/deployments/{deployment_id}/activate',
  prepareDeployment: 'POST /api/v1/projects/{project_id}/deployments/{deployment_id}/prepare',
  listEnvironments: 'GET /api/v1/projects/{project_id}/environments',
  createEnvironment: 'POST /api/v1/projects/{project_id}/environments',
  getEnvironment: 'GET /api/v1/projects/{project_id}/environments/{environment_id}',
  changeEnvironment: 'PATCH /api/v1/projects/{project_id}/environments/{environment_id}',
  deleteEnvironment: 'DELETE /api/v1/projects/{project_id}/environments/{environment_id}',
  listSecrets: 'GET /api/v1/projects/{project_id}/environments/{environment_id}/secrets',
  setSecret: 'PUT /api/v1/projects/{project_id}/environments/{environment_id}/secrets/{name}',
  deleteSecret: 'DELETE /api/v1/projects/{project_id}/environments/{environment_id}/secrets/{name}',
  listJobs: 'GET /api/v1/projects/{project_id}/jobs',
  createJob: 'POST /api/v1/projects/{project_id}/jobs',
  getJob: 'GET /api/v1/projects/{project_id}/jobs/{job_id}',
  changeJob: 'PATCH /api/v1/projects/{project_id}/jobs/{job_id}',
  deleteJob: 'DELETE /api/v1/projects/{project_id}/jobs/{job_id}',
  testWebhook: 'POST /api/v1/projects/{project_id}/jobs/{job_id}/webhook/test',
  revealWebhookSecret: 'POST /api/v1/projects/{project_id}/jobs/{job_id}/webhook/reveal-secret',
  rotateWebhookSecret: 'POST /api/v1/projects/{project_id}/jobs/{job_id}/webhook/rotate-secret',
  checkSchedule: 'POST /api/v1/schedules/check',
  sendDeliveryAgain: 'POST /api/v1/deliveries/{delivery_id}/send-again',
  checkCommand: 'POST /api/v1/commands/check',
  triggerRun: 'POST /api/v1/projects/{project_id}/jobs/{job_id}/trigger',
  getJobTrends: 'GET /api/v1/projects/{project_id}/jobs/{job_id}/trends',
  listUsualDurations: 'GET /api/v1/usual-durations',
  listRuns: 'GET /api/v1/runs',
  getRun: 'GET /api/v1/runs/{run_id}',
  cancelRun: 'POST /api/v1/runs/{run_id}/cancel',
  retryRun: 'POST /api/v1/runs/{run_id}/retry',
  getRunLog: 'GET /api/v1/runs/{run_id}/logs',
  listRunNodes: 'GET /api/v1/runs/{run_id}/nodes',
  listRunArtifacts: 'GET /api/v1/runs/{run_id}/artifacts',
  getProjectDocs: 'GET /api/v1/organizations/{organization_id}/projects/{project_id}/docs',
  getRunArtifact: 'GET /api/v1/runs/{run_id}/artifacts/{path}',
  listDeliveries: 'GET /api/v1/projects/{project_id}/jobs/{job_id}/deliveries',
  listDeliveriesOfRun: 'GET /api/v1/runs/{run_id}/deliveries',
  listDeliveriesOfSubscription: 'GET /api/v1/webhook-subscriptions/{subscription_id}/deliveries',
  getDelivery: 'GET /api/v1/deliveries/{delivery_id}',
  listVariables: 'GET /api/v1/orchestration/variables',
  createVariable: 'POST /api/v1/orchestration/variables',
  getVariable: 'GET /api/v1/orchestration/variables/{variable_id}',
  changeVariable: 'PATCH /api/v1/orchestration/variables/{variable_id}',
  deleteVariable: 'DELETE /api/v1/orchestration/variables/{variable_id}',
  listOrchestrationSecrets: 'GET /api/v1/orchestration/secrets',
  createOrchestrationSecret: 'POST /api/v1/orchestration/secrets',
  getOrchestrationSecret: 'GET /api/v1/orchestration/secrets/{secret_id}',
  changeOrchestrationSecret: 'PATCH /api/v1/orchestration/secrets/{secret_id}',
  deleteOrchestrationSecret: 'DELETE /api/v1/orchestration/secrets/{secret_id}',
  listHooks: 'GET /api/v1/hooks',
  createHook: 'POST /api/v1/hooks',
  previewNewHook: 'POST /api/v1/hooks/preview',
  getHook: 'GET /api/v1/hooks/{hook_id}',
  changeHook: 'PATCH /api/v1/hooks/{hook_id}',
  deleteHook: 'DELETE /api/v1/hooks/{hook_id}',
  previewHook: 'POST /api/v1/hooks/{hook_id}/preview',
  listDeliveriesOfHook: 'GET /api/v1/hooks/{hook_id}/deliveries',
  receiveEvent: 'POST /api/v1/events/{id}',
  getEvent: 'GET /api/v1/events/{id}',
  listEvents: 'GET /api/v1/events',
  listEventsOfRun: 'GET /api/v1/runs/{run_id}/events',
  listEventSources: 'GET /api/v1/event-sources',
  createEventSource: 'POST /api/v1/event-sources',
  getEventSource: 'GET /api/v1/event-sources/{source_id}',
  changeEventSource: 'PATCH /api/v1/event-sources/{source_id}',
  deleteEventSource: 'DELETE /api/v1/event-sources/{source_id}',
  rotateEventSourceSecret: 'POST /api/v1/event-sources/{source_id}/rotate-secret',
  listEventRules: 'GET /api/v1/event-rules',
  createEventRule: 'POST /api/v1/event-rules',
  previewEventRule: 'POST /api/v1/event-rules/preview',
  getEventRule: 'GET /api/v1/event-rules/{rule_id}',
  changeEventRule: 'PATCH /api/v1/event-rules/{rule_id}',
  deleteEventRule: 'DELETE /api/v1/event-rules/{rule_id}',
  listOrganizations: 'GET /api/v1/organizations',
  createOrganization: 'POST /api/v1/organizations',
  getOrganization: 'GET /api/v1/organizations/{organization_id}',
  changeOrganization: 'PATCH /api/v1/organizations/{organization_id}',
  listUsers: 'GET /api/v1/users',
  addUser: 'POST /api/v1/users',
  changeUser: 'PATCH /api/v1/users/{user_id}',
  removeUser: 'DELETE /api/v1/users/{user_id}',
  listInvitations: 'GET /api/v1/invitations',
  inviteUser: 'POST /api/v1/invitations',
  withdrawInvitation: 'DELETE /api/v1/invitations/{invitation_id}',
  lookUpInvitation: 'POST /api/v1/invitations/look-up',
  acceptInvitation: 'POST /api/v1/invitations/accept',
  listTokens: 'GET /api/v1/tokens',
  createToken: 'POST /api/v1/tokens',
  getToken: 'GET /api/v1/tokens/{token_id}',
  revokeToken: 'DELETE /api/v1/tokens/{token_id}',
  signIn: 'POST /api/v1/session',
  getSession: 'GET /api/v1/session',
  signOut: 'DELETE /api/v1/session',
  endAllSessions: 'POST /api/v1/session/end-all',
  changePassword: 'POST /api/v1/session/password',
  listSignInWays: 'GET /api/v1/session/ways',
  beginOpenId: 'GET /api/v1/session/open-id',
  endOpenId: 'GET /api/v1/session/open-id/callback',
  listAuditEvents: 'GET /api/v1/audit',
};
