"""Takes memory until there is none: in dbt's own process, or in one that it starts and waits for."""

import os


def model(dbt, session):
    if dbt.config.get("where") == "main":
        eat()
    child = os.fork()
    if child == 0:
        # The one that the kernel ends, not the other.
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        eat()
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise RuntimeError(f"the child ended with {status}")
    return session.sql("select 1 as ok")


def eat():
    eaten = []
    while True:
        eaten.append(bytearray(os.urandom(1 << 20)) * 16)
