"""Prints the secret as Python can write it, and in pieces that are written one after the other."""

import base64
import os
import sys
import time


def model(dbt, session):
    secret = os.environ["DBT_PASSWORD"]
    print("in base64:", base64.b64encode(secret.encode()).decode())
    print("as a header: Basic", base64.b64encode(("user:" + secret).encode()).decode())
    print("repr:", repr({"password": secret}))
    print("key:", os.environ["DBT_ENV_SECRET_KEY"])
    sys.stdout.flush()
    for letter in "split: " + secret + "\n":
        os.write(1, letter.encode())
        time.sleep(0.01)
    with open("target/left.txt", "w") as file:
        file.write("a file: " + secret + "\n")
    with open("target/" + os.environ["DBT_ENV_SECRET_NAME"] + ".txt", "w") as file:
        file.write("its name is the secret")
    # Long enough to be looked at from outside.
    time.sleep(2)
    return session.sql("select 1 as ok")
