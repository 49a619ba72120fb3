"""Leaves links among its artifacts that lead out of them."""

import os


def model(dbt, session):
    target = "/work/project/target"
    os.symlink("/etc/passwd", f"{target}/symbolic.json")
    os.symlink("/", f"{target}/folder")
    os.symlink("../dbt_project.yml", f"{target}/up.json")
    os.link(f"{target}/../dbt_project.yml", f"{target}/hard.json")
    return session.sql("select 1 as ok")
