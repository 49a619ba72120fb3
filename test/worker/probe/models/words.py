"""Prints, as one line of JSON, the words that dbt was called with."""

import json
import sys
import threading


def model(dbt, session):
    frame = sys._current_frames()[threading.main_thread().ident]
    while "dbtRunner" not in type(frame.f_locals.get("self")).__name__:
        frame = frame.f_back
    print(json.dumps({"words": frame.f_locals["args"]}))
    return session.sql("select 1 as ok")
