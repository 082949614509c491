#!/bin/sh
# How long a whole PKI takes as a whole process: `kubefarm pki init` into a new folder, everything switched on, with
# ECDSA P-256 and RSA 2048; and a second time, when all of it is there. Every file is brought to the disk, which other
# programs may keep busy: TMPDIR=/dev/shm leaves the disk out. Needs hyperfine (Debian package hyperfine).
set -eu
cd "$(dirname "$0")/.."
cargo build --release --locked --quiet
kubefarm="${CARGO_TARGET_DIR:-target}/release/kubefarm"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
init="$kubefarm pki init --quiet --pki-dir $folder/pki -f values/builtin-pki.yaml -f values/konnectivity-http.yaml \
--set kubernetes.konnectivityServer.service.loadBalancerIP=10.64.0.12"

hyperfine --shell=none --warmup 3 --runs 50 --prepare "rm -rf $folder/pki" \
    --command-name 'a new PKI, ECDSA P-256' "$init"
hyperfine --shell=none --warmup 3 --runs 50 \
    --command-name 'one that is there' "$init"
hyperfine --shell=none --runs 5 --prepare "rm -rf $folder/pki" \
    --command-name 'a new PKI, RSA 2048' "$init --set pki.algorithm=RSA,pki.size=2048"
echo "certificates: $(find "$folder/pki" -name tls.crt | wc -l)"
