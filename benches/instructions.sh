#!/usr/bin/env bash
# Counts the instructions of one small rendering, and compares them with those that benches/instructions.txt records.
# Time depends on the machine and on what else it does; instructions do not: runs differ by less than 0.01 percent.
# Needs valgrind (Debian package valgrind).
#
# Usage: instructions.sh [record]
#
# Ends with an error where a rendering takes 5 percent more or less than the record. A change that is meant to do so
# records the new figure, and says why in its commit.
#
# What is counted is the program that CI runs its tests with, not optimised and with counters for coverage: it is there
# already, and a pass or a copy too many shows in it as well. The figure depends on the compiler, whose version is
# recorded with it and not pinned, on Cargo.lock and on the charts. Of another compiler's figure it only says so.
set -euo pipefail
cd "$(dirname "$0")/.."
record=benches/instructions.txt

# As tests/coverage.sh builds it.
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/coverage"
export CARGO_TARGET_DIR RUSTC_WORKSPACE_WRAPPER="$PWD/tests/instrumented.sh" LLVM_PROFILE_FILE=/dev/null
cargo build --locked --quiet --bin kubefarm

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# One processor and fixed addresses: threads that look for work in vain would be counted too. Not every container may
# fix addresses, which matter little.
first=$(taskset --cpu-list --pid $$ | sed 's/.*: \([0-9]*\).*/\1/')
fixed='setarch --addr-no-randomize'
$fixed true 2>/dev/null || fixed=''
$fixed taskset --cpu-list "$first" \
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$log" \
    "$CARGO_TARGET_DIR/debug/kubefarm" render -f examples/generic/values.yaml -f examples/advanced_network/values.yaml \
    >/dev/null
counted=$(awk '/ Collected : / { print $NF }' "$log")
[ -n "$counted" ] || {
    cat "$log" >&2
    exit 1
}

compiler=$(rustc --version)
if [ "${1:-}" = record ]; then
    printf '%s\n%s\n' "$counted" "$compiler" >"$record"
fi
{
    read -r recorded
    read -r recorded_with
} <"$record"
echo "instructions of a small rendering: $counted, recorded $recorded"
if [ "$compiler" != "$recorded_with" ]; then
    echo "recorded with $recorded_with, counted with $compiler: record it anew with $0 record" >&2
elif [ $((counted * 100)) -gt $((recorded * 105)) ] || [ $((counted * 100)) -lt $((recorded * 95)) ]; then
    echo "more than 5 percent off the record: valgrind --tool=callgrind and callgrind_annotate say where." >&2
    echo "Where it is meant, record it with $0 record, and say why in the commit." >&2
    exit 1
fi
