#!/bin/sh
# Makes the root of the tools image: a Debian or Ubuntu without apt, with the user that the pods ask for.
#
# Usage: root.sh FILE.tar SUITE MIRROR SECURITY-MIRROR PACKAGES KEYRING    the last two may be empty
#
# Needs SOURCE_DATE_EPOCH, which no file is newer than.
set -eu
target=$1 suite=$2 mirror=$3 security_mirror=$4 packages=$5 keyring=$6

# People come in with `kubectl exec`, and want a shell; `kubectl apply -f https://…` wants certificates. Manuals,
# languages and lists of changes would be a fifth of it. Licences have to stay. Devices, which every container gets
# anew, and what names this computer are left out.
# shellcheck disable=SC2016 # the hooks' own variable
mmdebstrap --quiet --variant=essential --include="ca-certificates $packages" ${keyring:+--keyring="$keyring"} \
    --skip=output/dev \
    --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "5"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    --customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1"/var/cache/debconf/*-old' \
    --customize-hook='echo tools:x:65532: >>"$1/etc/group"' \
    --customize-hook='echo tools:x:65532:65532::/tmp:/bin/bash >>"$1/etc/passwd"' \
    --format=tar "$suite" "$target" \
    "deb $mirror $suite main" "deb $mirror $suite-updates main" "deb $security_mirror $suite-security main" >&2
