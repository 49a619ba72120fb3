"""Runs dbt in dctl and waits for it (Airflow 3). See README.md for the connection and the two variables."""

import json
from datetime import datetime, timedelta

from airflow.providers.http.operators.http import HttpOperator
from airflow.providers.http.sensors.http import HttpSensor
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException


def succeeded(response):
    run = response.json()
    if run["status"] in ("partial", "failed", "error"):
        raise AirflowFailException(f"dbt run {run['id']} ended as {run['status']}: {run['error_message']}")
    return run["status"] == "success"


defaults = {"http_conn_id": "dctl_api", "retries": 3, "retry_delay": timedelta(seconds=30)}

with DAG("dctl_dbt_run", start_date=datetime(2026, 1, 1), schedule="@daily", default_args=defaults):
    trigger = HttpOperator(
        task_id="trigger_dbt_run",
        endpoint="/api/v1/projects/{{ var.value.dctl_project_id }}/jobs/{{ var.value.dctl_job_id }}/trigger",
        headers={
            "Content-Type": "application/json",
            # A retry sends the same key and gets the same run. Clearing the task raises max_tries: a new run.
            "Idempotency-Key": "{{ dag.dag_id }}/{{ run_id }}/{{ task.task_id }}/{{ ti.max_tries }}",
        },
        data=json.dumps({"command_override": "dbt build", "cause": "{{ dag.dag_id }}/{{ run_id }}"}),
        response_filter=lambda response: response.json()["job_run_id"],
    )
    wait = HttpSensor(
        task_id="wait_for_dbt_run",
        endpoint="/api/v1/runs/{{ ti.xcom_pull(task_ids='trigger_dbt_run') }}",
        method="GET",
        response_check=succeeded,
        response_error_codes_allowlist=[],  # by default a 404 means: keep waiting
        mode="reschedule",
        poke_interval=30,
        timeout=2 * 60 * 60,
    )
    trigger >> wait
