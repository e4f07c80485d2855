#!/bin/sh
# Installs what the network proof uses: iproute2, nsenter, and the database servers and clients of Debian or Ubuntu.
# Nothing is started. Without root, or elsewhere than on Debian, it says what to install and the proof uses plain TCP.
set -eu
missing=
need() { # need COMMAND PACKAGE
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null || missing="$missing $2"
}
need ip iproute2
need nsenter util-linux
need mariadbd mariadb-server-core
need mariadb mariadb-client-core
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
ls /usr/lib/postgresql/*/bin/psql >/dev/null 2>&1 || missing="$missing postgresql-client"
[ "$missing" ] || exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "not installed, so the network proof will use less:$missing" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# A server that the package starts would be of no use here: RUNLEVEL=1 keeps it down.
# shellcheck disable=SC2086 # one word each
RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
