#!/bin/sh
# Writes for GRUB what ltsp.conf says about KERNEL_PARAMETERS and MENU_TIMEOUT (milliseconds).
#
# Usage: boot-menu.sh LTSP_CONF DIRECTORY
#   DIRECTORY/settings.cfg    what [common] and [clients] say: for every node
#   DIRECTORY/nodes/MAC.cfg   for the nodes whose own sections or tags say something else
#   DIRECTORY/nodes/IP.cfg    for those that ltsp.conf knows by address
set -eu

conf=$1
directory=$2

# LTSP's own reader turns ltsp.conf into shell functions: ini2sh. It expects `re` (run or die).
re() {
    "$@"
}
# shellcheck source=/dev/null
. /usr/share/ltsp/common/ltsp/55-config.sh

# settings SECTION…: the two settings after these sections, as a GRUB script. In a subshell, because
# sections set variables. What sections print does not belong into the file.
settings() (
    set +eu
    KERNEL_PARAMETERS='' MENU_TIMEOUT=''
    eval "$sections"
    section_call "$@" >/dev/null 2>&1
    set -eu
    printf 'set kernel_parameters=%s\n' "$(grub_word "$KERNEL_PARAMETERS")"
    printf 'set timeout=%s\n' "$(seconds "$MENU_TIMEOUT")"
)

# GRUB has no way to write a single quote inside single quotes, nor a line break.
grub_word() {
    case $1 in
    *"'"* | *"
"*)
        echo "KERNEL_PARAMETERS cannot hold single quotes or line breaks: $1" >&2
        return 1
        ;;
    esac
    printf "'%s'" "$1"
}

# Rounded up; nothing, and all that is no number, means at once.
seconds() {
    case $1 in
    '' | *[!0-9]*) echo 0 ;;
    # Zeros at the start would make an octal number of it.
    *) echo $(((${1#"${1%%[!0]*}"} + 999) / 1000)) ;;
    esac
}

# Evaluating a section for each of thousands of nodes takes a while: only do it where it can matter. The user's
# sections have their text in files beside ltsp.conf.
differs_between_nodes() {
    awk '
        /^ *\[/ { common = (tolower($0) ~ /^ *\[(common|clients)\]/) }
        /^(KERNEL_PARAMETERS|MENU_TIMEOUT) *=/ && !common { found = 1 }
        END { exit !found }
    ' "$conf" || grep -qsE '(KERNEL_PARAMETERS|MENU_TIMEOUT)=' "${conf%ltsp.conf}"section-*.sh
}

# The names of all sections that are a MAC or an IPv4 address.
addresses() {
    sed -nE 's/^\[(([0-9a-f]{2}:){5}[0-9a-f]{2}|([0-9]+\.){3}[0-9]+)\]$/\1/p' "$conf"
}

sections=$(ini2sh "$conf")
mkdir -p "$directory/nodes"
settings unnamed clients common >"$directory/settings.cfg"
if differs_between_nodes; then
    addresses | while read -r node; do
        settings unnamed clients common "$node" >"$directory/nodes/$node.cfg"
        ! cmp -s "$directory/settings.cfg" "$directory/nodes/$node.cfg" ||
            rm "$directory/nodes/$node.cfg"
    done
fi
