#!/usr/bin/env bash
# Forget all local state: buckets, topics, tables, models, logs. The environments stay, since they hold no state.
set -euo pipefail
home=$1
mkdir -p "$home"
exec 9>"$home/local.lock"
if ! flock -n 9; then
  echo "A \`./deploy.sh local\` is running here: stop it first (Ctrl-C in its terminal)." >&2
  exit 1
fi
rm -rf "$home/state" "$home/logs" "$home/environment.sh"
echo "All local state is gone. \`./deploy.sh local\` starts anew."
