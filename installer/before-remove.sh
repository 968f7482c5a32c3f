#!/bin/sh
# Stops the service when the package goes, not when it is replaced by another version. Data and account stay.
set -e
case "$1" in
  remove | 0)
    if [ -d /run/systemd/system ]; then
      systemctl disable --now halley.service
    fi
    ;;
esac
