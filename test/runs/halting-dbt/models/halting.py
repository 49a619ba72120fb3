"""Goes on for ten minutes, for as many runs as `halts` says; those after them it lets pass."""

import os
import time


def model(dbt, session):
    dbt.config(materialized="table")
    dbt.ref("first")
    halted = len(os.listdir("/data/halts")) if os.path.isdir("/data/halts") else 0
    if halted < int(dbt.config.get("halts")):
        os.makedirs(f"/data/halts/{halted}")
        print("halting", flush=True)
        time.sleep(600)
    return session.sql("select 1 as id")
