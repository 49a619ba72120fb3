"""Goes on for ten minutes, and takes no notice of an interrupt: it is not the main thread that gets it."""

import time


def model(dbt, session):
    print("going on and on", flush=True)
    until = time.monotonic() + 600
    while time.monotonic() < until:
        time.sleep(0.1)
    return session.sql("select 1 as ok")
