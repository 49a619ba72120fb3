"""Forks until it is stopped, and prints how often that went well."""

import json
import os
import signal
import time


def model(dbt, session):
    children = []
    stopped_by = None
    while len(children) < 2000:
        try:
            child = os.fork()
        except OSError as error:
            stopped_by = error.strerror
            break
        if child == 0:
            time.sleep(60)
            os._exit(0)
        children.append(child)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print(json.dumps({"children": len(children), "stopped_by": stopped_by}))
    return session.sql("select 1 as ok")
