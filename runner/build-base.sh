#!/bin/sh
# Builds a base image with Python, git and certificates from Debian packages, for hosts where no image can be pulled.
# Usage: build-base.sh TAG
# Needs root, debootstrap, docker and about 1 GB in TMPDIR. DEBIAN_MIRROR names another mirror than debootstrap's own.
set -eu

suite=bookworm
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
needed_mb=1024

fail() {
  echo "build-base: $1" >&2
  exit 1
}

[ $# -eq 1 ] || fail 'give the tag of the image to make, for example: build-base.sh dctl-base:local'
[ "$(id -u)" -eq 0 ] || fail 'debootstrap makes device files and changes owners, so this needs root: run it with sudo.'
command -v debootstrap >/dev/null || fail 'debootstrap is missing: apt-get install debootstrap'
command -v docker >/dev/null || fail 'the docker command is missing: apt-get install docker.io'
[ -r "$keyring" ] || fail 'the keys of the Debian archive are missing: apt-get install debian-archive-keyring'

root=$(mktemp -d "${TMPDIR:-/tmp}/dctl-base.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 130' INT TERM HUP

free_mb=$(df -Pm "$root" | awk 'NR == 2 { print $4 }')
[ "$free_mb" -ge "$needed_mb" ] || fail "the disk is too full: $free_mb MB are left for $root and $needed_mb are needed."

debootstrap --variant=minbase --force-check-gpg --keyring="$keyring" \
  --include=python3-venv,ca-certificates,git "$suite" "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} ||
  fail "debootstrap could not install Debian $suite; its last lines above say why."

# Package lists, archives and manuals are dead weight in an image.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* \
  "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/info/* "$root"/usr/share/locale/*
: >"$root/etc/resolv.conf"

tar --numeric-owner --one-file-system -C "$root" -c . |
  docker import --change 'ENV LANG=C.UTF-8' --message "Debian $suite, built with debootstrap" - "$1" ||
  fail "docker could not import the image; is the engine running and its disk not full?"
