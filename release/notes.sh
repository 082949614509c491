#!/bin/sh
# Prints what CHANGELOG.md says of a version: the notes of its release.
#
# Usage: notes.sh VERSION    such as 0.2.0; ends with 1 where the changelog has no such version
set -eu
[ $# -eq 1 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cd "$(dirname "$0")/.."
notes=$(awk -v heading="## [$1]" '
    index($0, "## [") == 1 { inside = index($0, heading) == 1; next }
    inside
' CHANGELOG.md)
[ -n "$notes" ] || {
    echo "$0: CHANGELOG.md has no section of $1" >&2
    exit 1
}
echo "$notes"
