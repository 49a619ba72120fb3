#!/bin/sh
# Writes .env for docker-compose.yml: fresh secrets, and the number of the group that may use Docker.
set -eu
cd "$(dirname "$0")/../.."

if [ -e .env ]; then
  echo "write-env: .env is there already and stays as it is." >&2
  exit 1
fi
socket=/var/run/docker.sock
group=$(stat -L -c %g "$socket" 2>/dev/null || stat -L -f %g "$socket" 2>/dev/null) || {
  echo "write-env: $socket is missing: start Docker, then try again." >&2
  exit 1
}
# Docker Desktop gives containers a socket of its own, which belongs to root's group.
case "$(uname)" in Linux) ;; *) group=0 ;; esac

secret() {
  head -c "$1" /dev/urandom
}
umask 077
{
  sed -e "s|^DCTL_SECRET_KEY=.*|DCTL_SECRET_KEY=$(secret 32 | base64 | tr -d '\n')|" \
    -e "s|^POSTGRES_PASSWORD=.*|POSTGRES_PASSWORD=$(secret 24 | od -An -vtx1 | tr -d ' \n')|" \
    -e "s|^DOCKER_GID=.*|DOCKER_GID=$group|" .env.example
} >.env
echo "write-env: wrote .env. Keep a copy of it in a safe place."
