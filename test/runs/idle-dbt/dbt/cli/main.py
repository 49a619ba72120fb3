"""Stands for dbt where only its beginning and its end matter: it costs next to nothing, so many can run at once."""

import time


class dbtRunner:
    def __init__(self, callbacks=()):
        pass

    def invoke(self, argv):
        print("at work", flush=True)
        time.sleep(0.3 if argv[0] == "run-operation" else 300)
        print("done", flush=True)
        return Result()


class Result:
    success = True
    exception = None
    result = None
