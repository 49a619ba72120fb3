import os
from datetime import datetime

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("bench", start_date=datetime(2026, 1, 1), schedule=None, catchup=False):
    BashOperator(
        task_id="dbt_build",
        bash_command=f"{os.environ['BENCH_DBT']} build",
        cwd=os.environ["BENCH_PROJECT"],
    )
