"""Prints so many megabytes, in lines of 1 KiB every fourth character of which takes three bytes."""


def model(dbt, session):
    megabytes = int(dbt.config.get("megabytes"))
    line = ("abc✓" * 1024).encode()[:1023].decode(errors="ignore")
    for _ in range(megabytes * 1024):
        print(line)
    return session.sql("select 1 as ok")
