#!/bin/sh
# Runs tests and says which part of src/cluster they ran: the lines and functions of each file, and of all.
#
# Usage: coverage.sh COMMAND...    for example: coverage.sh make test
#
# Needs LLVM's tools of the major version that rustc was built with (Debian package llvm-N); installs them where root
# or sudo may. A process that a test kills leaves no trace.
set -eu
cd "$(dirname "$0")/.."

major=$(rustc --version --verbose | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
if ! command -v "llvm-cov-$major" >/dev/null; then
    as_root=''
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    $as_root apt-get update
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "llvm-$major"
fi

mkdir -p "${CARGO_TARGET_DIR:-target}/coverage"
target=$(cd "${CARGO_TARGET_DIR:-target}/coverage" && pwd)
rm -rf "$target/profiles"
# Only our own crate is instrumented, and processes of one binary share four files: there are thousands of them.
export CARGO_TARGET_DIR="$target" RUSTC_WORKSPACE_WRAPPER="$PWD/tests/instrumented.sh" \
    LLVM_PROFILE_FILE="$target/profiles/%4m.profraw"
"$@"

"llvm-profdata-$major" merge --sparse --failure-mode=all --output "$target/tests.profdata" "$target"/profiles/*.profraw
echo 'Coverage of src/cluster by these tests:'
"llvm-cov-$major" report "$target/debug/kubefarm" --instr-profile "$target/tests.profdata" --sources src/cluster \
    --show-region-summary=false --show-branch-summary=false
