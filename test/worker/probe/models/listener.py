"""Listens on a port for some seconds, and prints each address that reached it."""

import socket
import time


def model(dbt, session):
    until = time.monotonic() + float(dbt.config.get("seconds"))
    with socket.create_server(("0.0.0.0", 4000)) as server:
        with socket.create_connection((socket.gethostbyname(socket.gethostname()), 4000), timeout=2):
            server.accept()
        print("listening", flush=True)
        server.settimeout(0.2)
        while time.monotonic() < until:
            try:
                print(f"reached by {server.accept()[1][0]}", flush=True)
            except TimeoutError:
                pass
    return session.sql("select 1 as ok")
