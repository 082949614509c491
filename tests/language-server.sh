#!/bin/sh
# The YAML language server that the tests ask what an editor would show.
#
# Usage: language-server.sh path       where its program is, or would be
#        language-server.sh install    puts it there, with npm; nothing where it is there
#
# It is kept outside of the checkout, by its version: ~/.cache/kubefarm, or KUBEFARM_TEST_CACHE.
set -eu

version=1.25.0
folder=${KUBEFARM_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubefarm}/yaml-language-server-$version
program=$folder/node_modules/yaml-language-server/bin/yaml-language-server

case ${1:-} in
path) ;;
install)
    if ! test -e "$program"; then
        new=$folder.$$
        mkdir -p "$new"
        npm install --prefix "$new" --no-save --no-audit --no-fund --ignore-scripts "yaml-language-server@$version" >&2
        # Whole or not at all, whoever else does the same.
        mv -T "$new" "$folder" 2>/dev/null || rm -rf "$new"
    fi
    ;;
*)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
echo "$program"
