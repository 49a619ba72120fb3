from airflow import DAG
from airflow.providers.http.operators.http import SimpleHttpOperator
from airflow.operators.python import PythonOperator
from datetime import datetime
import json

PROJECT_ID = "your_project_id"
JOB_ID = "your_job_id"

# This DAG triggers dagctl. The webhook fires a SEPARATE DAG on completion.
with DAG("trigger_dagctl", start_date=datetime(2026, 1, 1), schedule="@daily") as dag:

    trigger = SimpleHttpOperator(
        task_id="trigger_dbt_run",
        http_conn_id="dagctl_api",
        endpoint=f"/api/v1/projects/{PROJECT_ID}/jobs/{JOB_ID}/trigger",
        method="POST",
        headers={"Content-Type": "application/json"},
        data=json.dumps({"command_override": "dbt build"}),
        log_response=True,
    )
