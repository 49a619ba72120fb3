"""Every operator of Airflow's dbt Cloud provider, each on its own; for Airflow 2 and 3."""

import json
import os
from datetime import datetime, timedelta

from airflow.providers.dbt.cloud.hooks.dbt import DbtCloudHook
from airflow.providers.dbt.cloud.operators.dbt import (
    DbtCloudGetJobRunArtifactOperator,
    DbtCloudListJobsOperator,
    DbtCloudRunJobOperator,
)
from airflow.providers.dbt.cloud.sensors.dbt import DbtCloudJobRunSensor

try:
    from airflow.sdk import DAG, task
except ImportError:
    from airflow import DAG
    from airflow.decorators import task

# Name -> number.
jobs = json.loads(os.environ["JOBS"])


@task
def connects():
    assert DbtCloudHook().test_connection() == (True, "Successfully connected to dbt Cloud.")


@task
def commands(dbt_run_id):
    results = [DbtCloudHook().get_job_run_artifact(dbt_run_id, "run_results.json", step=step) for step in (4, None)]
    return [result.json()["args"]["which"] for result in results]


@task
def compare(one, other):
    assert one == other


with DAG("provider", start_date=datetime(2026, 1, 1), schedule=None):
    connects()
    DbtCloudListJobsOperator(task_id="list_jobs", order_by="-id")

    overridden = DbtCloudRunJobOperator(
        task_id="overridden",
        job_id=jobs["scheduled-run"],
        steps_override=["dbt compile", "dbt run --select my_model"],
        check_interval=1,
    )
    DbtCloudGetJobRunArtifactOperator(
        task_id="manifest", run_id=overridden.output, path="manifest.json", step=4
    )
    commands(overridden.output)

    DbtCloudRunJobOperator(
        task_id="retried",
        job_id=jobs["late"],
        check_interval=1,
        deferrable=True,
        retries=1,
        retry_delay=timedelta(0),
        retry_from_failure=True,
    )

    # Somebody cancels it there, while this waits.
    DbtCloudRunJobOperator(task_id="cancelled", job_id=jobs["long"], check_interval=1)

# On its own, so that nothing else comes in between.
with DAG("reused", start_date=datetime(2026, 1, 1), schedule=None):
    begun = DbtCloudRunJobOperator(task_id="begun", job_id=jobs["short"], wait_for_termination=False)
    again = DbtCloudRunJobOperator(
        task_id="again", job_id=jobs["short"], wait_for_termination=False, reuse_existing_run=True
    )
    compare(begun.output, again.output) << again
    begun >> again
    DbtCloudJobRunSensor(task_id="sensed", run_id=again.output, poke_interval=1, timeout=60)
    DbtCloudJobRunSensor(task_id="sensed_deferred", run_id=again.output, poke_interval=1, deferrable=True)

# Airflow kills the task, which cancels the run. On its own: in Airflow 2 it takes the rest of such a test along.
with DAG("killed", start_date=datetime(2026, 1, 1), schedule=None):
    DbtCloudRunJobOperator(
        task_id="killed", job_id=jobs["longer"], check_interval=1, execution_timeout=timedelta(seconds=2)
    )
