"""Goes on when a dbt run has ended: the job's webhook starts this DAG (Airflow 3). See README.md."""

from datetime import datetime

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowFailException


@task
def check_dbt_run(dag_run=None):
    run = dag_run.conf["job_run"]
    if run["status"] != "success":
        raise AirflowFailException(f"dbt run {run['id']} ended as {run['status']}: {run['error_message']}")
    return run["id"]


with DAG("after_dbt_run", start_date=datetime(2026, 1, 1), schedule=None):
    check_dbt_run()
    # check_dbt_run() >> what depends on it
