"""Prints numbered lines, with a pause after each."""

import time


def model(dbt, session):
    for number in range(int(dbt.config.get("lines"))):
        print(f"line {number} ✓", flush=True)
        time.sleep(float(dbt.config.get("pause")))
    return session.sql("select 1 as ok")
