#!/usr/bin/env bash
# govulncheck, where the vulnerability database can be reached. Where it cannot
# it says so and does not fail: no answer is no finding.
set -euo pipefail
cd "$(dirname "$0")/.."

out=$(mktemp)
trap 'rm -f "$out"' EXIT
code=0
go tool -modfile=tools/go.mod govulncheck ./... >"$out" 2>&1 || code=$?
if ((code != 0)) && grep -qE 'fetching vulnerabilities|dial tcp|no such host|i/o timeout' "$out"; then
	echo "govulncheck: SKIPPED, the vulnerability database cannot be reached from here:"
	tail -n 1 "$out"
	exit 0
fi
cat "$out"
exit "$code"
