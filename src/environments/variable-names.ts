/** What dbt takes from its environment that decides where it reads and writes, what it executes, and where it reports. */
const dbtsOwn = new Set([
  'DBT_ARTIFACT_STATE_PATH',
  'DBT_CLEAN_PROJECT_FILES_ONLY',
  'DBT_CLOUD_ACCOUNT_ID',
  'DBT_CLOUD_ENVIRONMENT_ID',
  'DBT_CLOUD_JOB_ID',
  'DBT_CLOUD_PROJECT_ID',
  'DBT_CLOUD_RUN_ID',
  'DBT_CLOUD_RUN_REASON',
  'DBT_CLOUD_RUN_REASON_CATEGORY',
  'DBT_CLOUD_TOKEN',
  'DBT_DEFER',
  'DBT_DEFER_STATE',
  'DBT_DEFER_TO_STATE',
  'DBT_DOWNLOAD_DIR',
  'DBT_DOWNLOADS_DIR',
  'DBT_FAVOR_STATE',
  'DBT_FAVOR_STATE_MODE',
  'DBT_INVOCATION_ENV',
  'DBT_LOG_PATH',
  'DBT_PACKAGES_INSTALL_PATH',
  'DBT_PARTIAL_PARSE',
  'DBT_PARTIAL_PARSE_FILE_DIFF',
  'DBT_PARTIAL_PARSE_FILE_PATH',
  'DBT_PP_FILE_DIFF_TEST',
  'DBT_PP_TEST',
  'DBT_PROFILE',
  'DBT_PROFILES_DIR',
  'DBT_PROJECT_DIR',
  'DBT_RECORDED_FILE_PATH',
  'DBT_SEND_ANONYMOUS_USAGE_STATS',
  'DBT_SINGLE_THREADED',
  'DBT_STATE',
  'DBT_TARGET',
  'DBT_TARGET_PATH',
  'DBT_UPLOAD_TO_ARTIFACTS_INGEST_API',
  'DBT_USE_COLORS',
  'DBT_WRITE_JSON',
]);

const programs = new Set(['PATH', 'HOME', 'IFS', 'ENV', 'BASH_ENV', 'SHELLOPTS', 'BASHOPTS', 'TMPDIR']);

const prefixes: { prefix: string; why: string }[] = [
  { prefix: 'DCTL_', why: "names that begin with DCTL_ are the server's own" },
  { prefix: 'DBT_ENV_SECRET_DCTL_', why: "names that begin so are the generated profile's own" },
  { prefix: 'DBT_ENGINE_', why: 'names that begin with DBT_ENGINE_ are settings of dbt itself' },
  { prefix: 'DBT_RECORDER_', why: 'names that begin with DBT_RECORDER_ are settings of dbt itself' },
  { prefix: 'LD_', why: 'names that begin with LD_ change which code every program loads' },
  { prefix: 'PYTHON', why: 'names that begin with PYTHON change which code dbt loads' },
];

/** How a name is written; not every such name may be one. */
export const variableName = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/**
 * Why an environment variable or secret may not have this name, as a sentence that says what to write instead; null
 * when it may.
 */
export function variableNameProblem(name: string): string | null {
  if (!variableName.test(name)) {
    return 'Write a name of at most 128 letters, digits and underscores that does not begin with a digit.';
  }
  const reserved = prefixes.find(({ prefix }) => name.startsWith(prefix));
  if (reserved !== undefined) return `Choose another name: ${reserved.why}.`;
  if (name === 'DBT_TARGET') return "Set the environment's target in place of this variable.";
  if (name === 'DBT_PROFILE' || name === 'DBT_PROFILES_DIR') {
    return "Give the environment a connection, or bring a profiles.yml in the project's folder, in place of this variable.";
  }
  if (dbtsOwn.has(name)) {
    return `Choose another name: ${name} changes what dbt reads, writes or reports, which the server decides.`;
  }
  if (programs.has(name)) return `Choose another name: ${name} changes which programs are run, and how.`;
  return null;
}
