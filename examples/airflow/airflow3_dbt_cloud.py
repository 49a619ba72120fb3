"""Runs a job of dctl with the dbt Cloud provider (Airflow 3). See README.md for the connection."""

from datetime import datetime, timedelta

from airflow.providers.dbt.cloud.hooks.dbt import DbtCloudHook
from airflow.providers.dbt.cloud.operators.dbt import DbtCloudRunJobOperator
from airflow.sdk import DAG, task


@task
def count_results(dbt_run_id):
    results = DbtCloudHook().get_job_run_artifact(dbt_run_id, "run_results.json").json()["results"]
    statuses = [result["status"] for result in results]
    return {status: statuses.count(status) for status in set(statuses)}


with DAG("dctl_dbt_cloud", start_date=datetime(2026, 1, 1), schedule="@daily"):
    run = DbtCloudRunJobOperator(
        task_id="run_dbt_job",
        project_name="jaffle_shop",
        environment_name="production",
        job_name="scheduled-run",
        check_interval=10,
        timeout=2 * 60 * 60,
        deferrable=True,  # waits in the triggerer, without a worker slot
        retries=1,
        retry_delay=timedelta(seconds=30),
        retry_from_failure=True,  # the retry runs what failed or was skipped, and nothing else
    )
    count_results(run.output)
