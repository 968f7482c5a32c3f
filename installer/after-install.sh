#!/bin/sh
# Lets the service read its configuration, and a running one take the new program. A new installation is not started: the
# administrator looks at the configuration first.
set -e
chgrp halley /etc/halley/halley.toml
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart halley.service
fi
echo 'Halley is installed. Its configuration: /etc/halley/halley.toml. Start it: systemctl enable --now halley'
