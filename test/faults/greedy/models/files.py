"""Writes temporary files until there is no room left."""


def model(dbt, session):
    with open("/tmp/fill", "wb") as file:
        while True:
            file.write(bytes(1 << 20))
    return session.sql("select 1 as ok")  # dbt wants one
