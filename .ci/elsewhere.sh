#!/usr/bin/env bash
# .ci/elsewhere.sh arm64|windows [ARGUMENT OF deno test...]: runs the tests there, and says how many passed, failed and were skipped, and why.
# Fails when one fails, or none runs. CI is not set there: what those machines lack is skipped, and said.
set -euo pipefail
cd "$(dirname "$0")/.."
system=$1
shift
output=$(mktemp)
trap 'rm -f "$output"' EXIT

failed=0
env -u CI NO_COLOR=1 DENO_NO_UPDATE_CHECK=1 ".ci/$system.sh" test --allow-all --no-lock --no-check \
  --preload tests/support/elsewhere.ts "$@" 2>&1 | tee "$output" || failed=1

echo
echo "$system: why tests were skipped:"
grep -aoE '^Skipped here.*' "$output" | sort -u || true
grep -aE '^(ok|FAILED) \| [1-9][0-9]* passed' "$output" | tail -n 1 || {
  echo "$0: no test ran on $system" >&2
  exit 1
}
exit "$failed"
