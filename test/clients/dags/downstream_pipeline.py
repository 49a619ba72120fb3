from airflow import DAG
from airflow.operators.python import PythonOperator
from datetime import datetime


def process_dagctl_result(**context):
    conf = context["dag_run"].conf
    event = conf["event"]         # "job.completed" or "job.failed"
    status = conf["job_run"]["status"]
    project = conf["project"]["name"]
    duration = conf["job_run"]["duration_seconds"]

    if status != "success":
        raise Exception(f"dagctl run failed for {project}: {conf['job_run'].get('error_message')}")

    print(f"dagctl run for {project} completed in {duration}s")


with DAG("downstream_pipeline", start_date=datetime(2026, 1, 1), schedule=None) as dag:

    check_result = PythonOperator(
        task_id="check_dagctl_result",
        python_callable=process_dagctl_result,
    )

    # Add downstream tasks here
    # check_result >> refresh_dashboards >> notify_stakeholders
