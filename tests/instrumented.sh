#!/usr/bin/env bash
# rustc as Cargo calls it for our own crates (RUSTC_WORKSPACE_WRAPPER), with counters for coverage. In bash, since dash
# drops variables whose names have a hyphen, such as CARGO_BIN_EXE_kubefarm-fetch.
exec "$@" -C instrument-coverage
