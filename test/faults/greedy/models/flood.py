"""Prints so many megabytes, in lines of 1 KiB."""

import sys


def model(dbt, session):
    lines = ("x" * 1023 + "\n") * 1024
    for _ in range(int(dbt.config.get("megabytes"))):
        sys.stdout.write(lines)
    sys.stdout.flush()
    return session.sql("select 1 as ok")
