#!/bin/sh
# How long `kubefarm render` takes as a whole process, and how much memory: the two-layer example, beside /bin/true
# on the same machine. Needs hyperfine and GNU time (Debian packages hyperfine, time).
set -eu
cd "$(dirname "$0")/.."
cargo build --release --locked --quiet
kubefarm="${CARGO_TARGET_DIR:-target}/release/kubefarm"
example="render -f examples/generic/values.yaml -f examples/advanced_network/values.yaml"

hyperfine --shell=none --warmup 20 --runs 200 --export-json "${TMPDIR:-/tmp}/kubefarm-render.json" \
    /bin/true "$kubefarm $example"
# The ratio of medians: means suffer from whatever else the machine does.
python3 - "${TMPDIR:-/tmp}/kubefarm-render.json" <<'PYTHON'
import json, sys
true, render = (run["median"] * 1000 for run in json.load(open(sys.argv[1]))["results"])
print(f"medians: /bin/true {true:.2f} ms, render {render:.2f} ms, ratio {render / true:.1f}")
PYTHON
# shellcheck disable=SC2086 # the words of the command line
/usr/bin/time -f 'peak memory: %M KiB' "$kubefarm" $example >/dev/null

# How it grows with the nodes.
nodes=$(mktemp)
trap 'rm -f "$nodes"' EXIT
for count in 1000 10000 100000; do
    awk -v count="$count" 'BEGIN {
        print "nodePools:\n- range: 10.0.0.0,static,255.0.0.0,10.255.255.255,infinite\n  nodes:"
        for (i = 1; i <= count; i++)
            printf "  - {name: n%d, mac: \"02:00:00:%02x:%02x:%02x\", ip: 10.%d.%d.%d}\n", i,
                int(i / 65536), int(i / 256) % 256, i % 256, int(i / 62500), int(i / 250) % 250, i % 250 + 1
    }' >"$nodes"
    /usr/bin/time -f "$count nodes: %e s, %M KiB" "$kubefarm" render -f "$nodes" >/dev/null
done
