#!/usr/bin/env bash
# Proves the two commands from a fresh clone in an empty folder, and prints how long each took.
# --bare: first removes what makes it faster (the runner image), to measure the very first start.
set -euo pipefail
source_folder=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if [[ "${1:-}" == --bare ]] && docker info >/dev/null 2>&1; then
  docker image ls --format '{{.Repository}}:{{.Tag}}' 'dctl-*' | xargs -r docker image rm --force >/dev/null
fi

git clone --quiet "$source_folder" "$folder/dctl"
cd "$folder/dctl"
for command in 'npm start -- --exit' 'npm start -- --exit' 'npm test'; do
  SECONDS=0
  $command
  printf '%-22s %4d s\n' "$command" "$SECONDS" >>"$folder/times"
done
cat "$folder/times"
