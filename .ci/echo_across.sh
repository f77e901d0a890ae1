#!/usr/bin/env bash
# .ci/echo_across.sh: the echo server on Windows (.ci/windows.sh) with the client on Linux, and the other way round.
set -euo pipefail
cd "$(dirname "$0")/.."

# across SERVER-COMMAND CLIENT-COMMAND: each runs Deno with the arguments that follow
across() {
  local line port
  coproc server { exec $1 run --allow-ffi examples/echo.ts --port 0; }
  read -r line <&"${server[0]}"
  port=$(sed -E 's/.*:([0-9]+) .*/\1/' <<<"$line")
  [ "$($2 run --allow-ffi examples/echo_client.ts --port "$port" across systems | tr -d '\r')" = $'across\nsystems' ] || {
    echo "$0: the echo did not come back from $1 to $2" >&2
    exit 1
  }
  echo "server: $1 ($line); client: $2: ok"
  kill "$server_PID"
  wait "$server_PID" 2>/dev/null || true
}

across .ci/windows.sh deno
across deno .ci/windows.sh
