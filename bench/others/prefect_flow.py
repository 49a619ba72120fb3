import os
import subprocess

from prefect import flow


@flow(name="bench")
def dbt_build() -> None:
    subprocess.run([os.environ["BENCH_DBT"], "build"], cwd=os.environ["BENCH_PROJECT"], check=True)


if __name__ == "__main__":
    dbt_build.serve(name="bench")
