"""Tries to reach addresses (host:port,host:port), and prints as one line of JSON which it could."""

import json
import socket


def model(dbt, session):
    addresses = dbt.config.get("addresses")
    print(json.dumps({"reached": {address: is_reached(address) for address in addresses.split(",")}}))
    return session.sql("select 1 as ok")


def is_reached(address):
    host, port = address.rsplit(":", 1)
    try:
        with socket.create_connection((host, int(port)), timeout=3):
            return True
    except OSError:
        return False
