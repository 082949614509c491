# shellcheck shell=sh
# It would look for a collector of traces.
export OTEL_TRACES_EXPORTER=none
exec registry serve /etc/cluster/registry.yaml
