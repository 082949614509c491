#!/bin/sh
# Every property test, and wrong values of any kind in any place, with other random seeds in each round.
#
# Usage: fuzz.sh SECONDS
#
# The seed of a round is printed before it: with PROPTEST_RNG_SEED, `cargo test` tries the same again.
set -eu
cd "$(dirname "$0")/.."

end=$(($(date +%s) + $1))
while left=$((end - $(date +%s))); [ "$left" -gt 0 ]; do
    seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
    echo "PROPTEST_RNG_SEED=$seed"
    export PROPTEST_RNG_SEED="$seed"
    export KUBEFARM_HOSTILE_SECONDS="$((left < 60 ? left : 60))"
    cargo test --quiet --locked --lib
    cargo test --quiet --locked --test it -- properties:: injection::
done
