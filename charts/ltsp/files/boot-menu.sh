#!/bin/sh
# Writes for GRUB and iPXE what to load, and what ltsp.conf says about KERNEL_PARAMETERS and MENU_TIMEOUT
# (milliseconds; iPXE has no menu).
#
# Usage: boot-menu.sh LTSP_CONF DIRECTORY CONFIGURATION IMAGES [KEY]
#   CONFIGURATION             the name of what ltsp.img has
#   IMAGES                    has a folder for each kind of machine, with the name of its release in `release`
#   KEY                       the public key that the configuration is signed with: initrds that can check it load it
#                             themselves
#   DIRECTORY/settings.cfg    what [common] and [clients] say: for every node; settings.ipxe is the same for iPXE
#   DIRECTORY/nodes/MAC.cfg   for the nodes whose own sections or tags say something else; MAC.ipxe for iPXE
#   DIRECTORY/nodes/IP.cfg    for those that ltsp.conf knows by address
set -eu

conf=$1
directory=$2
configuration=$3
images=$4
key=${5-}

# LTSP's own reader turns ltsp.conf into shell functions: ini2sh. It expects `re` (run or die).
re() {
    "$@"
}
# Sections that fail on a node fail here too: that is said there.
warn() {
    echo "$@" >&2
}
# shellcheck source=/dev/null
. /usr/share/ltsp/common/ltsp/55-config.sh

# settings FILE SECTION…: writes the two settings after these sections, as a script for GRUB and one for iPXE. In a
# subshell, because sections set variables. What sections print does not belong into the files.
settings() (
    file=$1
    shift
    set +eu
    KERNEL_PARAMETERS='' MENU_TIMEOUT=''
    eval "$sections"
    section_call "$@" >/dev/null 2>&1
    set -eu
    {
        printf 'set kernel_parameters=%s\n' "$(grub_word "$KERNEL_PARAMETERS")"
        printf 'set timeout=%s\n' "$(seconds "$MENU_TIMEOUT")"
    } >"$file.cfg"
    printf 'set kernel_parameters %s\n' "$(ipxe_words "$KERNEL_PARAMETERS")" >"$file.ipxe"
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

# iPXE takes these signs for its own and has no quotes for them.
ipxe_words() {
    case $1 in
    *[\$\#\;\&\|\"\\]*)
        echo "iPXE cannot be given these KERNEL_PARAMETERS, and boots without: $1" >&2
        ;;
    *) printf '%s' "$1" ;;
    esac
}

# Rounded up; nothing, and all that is not a number, means at once.
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

# release MACHINE: the name of its release; nothing where the image has the files without one.
release() {
    cat "$images/$1/release" 2>/dev/null || true
}

# config_key MACHINE: the key, where the initrd of its release reads what is signed; nothing otherwise.
config_key() {
    format=$(cat "$images/$1/$(release "$1")/configuration-format" 2>/dev/null || true)
    test "$format" != 1 || echo "$key"
}

# Appended to the settings of all nodes, for which they hold too.
loaded() {
    {
        echo "set configuration=$configuration"
        echo "set release=$(release x86_64)"
        echo "set config_key='$(config_key x86_64)'"
        # shellcheck disable=SC2016 # GRUB's variable
        printf 'if [ "$machine" = arm64 ]; then\n    set release=%s\n    set config_key='"'%s'"'\nfi\n' \
            "$(release arm64)" "$(config_key arm64)"
        echo "set node_settings=$1"
    } >>"$directory/settings.cfg"
    {
        echo "set configuration $configuration"
        echo "set release $(release x86_64)"
        echo "set config_key $(config_key x86_64)"
        echo "iseq \${buildarch} arm64 && set release $(release arm64) ||"
        echo "iseq \${buildarch} arm64 && set config_key $(config_key arm64) ||"
        echo "set node_settings $1"
    } >>"$directory/settings.ipxe"
}

sections=$(ini2sh "$conf")
mkdir -p "$directory/nodes"
settings "$directory/settings" unnamed clients common
if differs_between_nodes; then
    addresses | while read -r node; do
        settings "$directory/nodes/$node" unnamed clients common "$node"
        ! cmp -s "$directory/settings.cfg" "$directory/nodes/$node.cfg" ||
            rm "$directory/nodes/$node.cfg" "$directory/nodes/$node.ipxe"
    done
fi
loaded "$(find "$directory/nodes" -name '*.cfg' | head -n 1 | sed 's/.*/yes/')"
