#!/bin/sh
# rustc as Cargo calls it for our own crate (RUSTC_WORKSPACE_WRAPPER), with counters for coverage.
exec "$@" -C instrument-coverage
