#!/bin/sh
# Makes the account of the service: no password, no shell, no home but the data folder.
set -e
if ! getent passwd halley >/dev/null; then
  # The group may have been left by an account that was deleted.
  if getent group halley >/dev/null; then group='--gid halley'; else group=--user-group; fi
  # shellcheck disable=SC2086 # two words
  useradd --system $group --no-create-home --home-dir /var/lib/halley --shell /usr/sbin/nologin halley
fi
