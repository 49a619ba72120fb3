import json
from airflow import DAG
from airflow.providers.http.operators.http import SimpleHttpOperator
from airflow.providers.http.sensors.http import HttpSensor
from datetime import datetime

# Create an Airflow HTTP connection named "dagctl_api" with:
#   Host: https://api.dagctl.com
#   Header: {"Authorization": "Bearer dctl_...", "X-Organization-ID": "org-..."}

PROJECT_ID = "your_project_id"
JOB_ID = "your_job_id"

with DAG("dagctl_dbt_run", start_date=datetime(2026, 1, 1), schedule="@daily") as dag:

    trigger = SimpleHttpOperator(
        task_id="trigger_dbt_run",
        http_conn_id="dagctl_api",
        endpoint=f"/api/v1/projects/{PROJECT_ID}/jobs/{JOB_ID}/trigger",
        method="POST",
        headers={"Content-Type": "application/json"},
        data=json.dumps({"command_override": "dbt build --select my_model+"}),
        response_filter=lambda resp: resp.json()["job_run_id"],
        log_response=True,
    )

    poll_status = HttpSensor(
        task_id="wait_for_completion",
        http_conn_id="dagctl_api",
        endpoint=f"/api/v1/runs/{{{{ ti.xcom_pull(task_ids='trigger_dbt_run') }}}}",
        method="GET",
        response_check=lambda resp: resp.json()["status"] in (
            "success", "partial", "failed", "error"
        ),
        poke_interval=30,
        timeout=3600,
    )

    trigger >> poll_status
