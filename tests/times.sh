#!/usr/bin/env bash
# The slowest tests, in seconds, and how much time of processors all of them took.
#
# Usage: times.sh [FILTER...]    for example: times.sh apply:: pki::
set -euo pipefail
cd "$(dirname "$0")/.."

# How long a test took is for libtest to say, and not stable yet: the variable is for the tests, not for the compiler.
output=$(mktemp)
trap 'rm -f "$output"' EXIT
failed=''
time -p cargo test --locked --test it --config "target.'cfg(all())'.runner = ['env', 'RUSTC_BOOTSTRAP=1']" -- \
    -Z unstable-options --report-time "$@" >"$output" || failed=yes
grep -v '^test .* \.\.\. ok' "$output" || true
sed -n 's/^test \(.*\) \.\.\. [a-z]* <\([0-9.]*\)s>$/\2 \1/p' "$output" | sort -rn | head -n 40
[ -z "$failed" ]
