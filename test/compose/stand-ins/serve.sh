#!/bin/sh
set -eu
if [ "$1" = redis-server ]; then
  cd /data
  exec setpriv --reuid=redis --regid=redis --init-groups "$@" --protected-mode no
fi

PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
data=/var/lib/postgresql/18/docker
run() {
  setpriv --reuid=postgres --regid=postgres --init-groups "$@"
}
if [ ! -e "$data/PG_VERSION" ]; then
  echo "$POSTGRES_PASSWORD" >/tmp/password
  run mkdir -p "$data"
  run initdb --pgdata="$data" --username="$POSTGRES_USER" --pwfile=/dev/stdin </tmp/password
  echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
  # Single-user mode: the database that the official image makes.
  echo "CREATE DATABASE $POSTGRES_DB" | run postgres --single -D "$data" postgres
fi
ln -sf "$(command -v pg_isready)" /usr/local/bin/pg_isready
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D "$data" -c listen_addresses='*'
