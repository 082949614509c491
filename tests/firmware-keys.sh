#!/bin/sh
# The variables of an OVMF that trusts one certificate, and with Secure Boot on: what an operator's machines have.
#
# Usage: firmware-keys.sh install               puts virt-fw-vars there, with pip; nothing where it is there
#        firmware-keys.sh CERTIFICATE OUTPUT    writes the variables
#        firmware-keys.sh --authorities CERTIFICATE OUTPUT
#                                               writes what OVMF trusts for HTTPS
#
# virt-fw-vars is kept outside of the checkout, by its version: ~/.cache/kubefarm, or KUBEFARM_TEST_CACHE.
set -eu

version=24.11
folder=${KUBEFARM_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubefarm}/virt-firmware-$version

if ! test -e "$folder/virt/firmware/vars.py"; then
    new=$folder.$$
    python3 -m pip install --quiet --root-user-action ignore --target "$new" "virt-firmware==$version" >&2
    # Whole or not at all, whoever else does the same.
    mv -T "$new" "$folder" 2>/dev/null || rm -rf "$new"
fi
test "${1:-}" != install || exit 0

owner=6b756265-6661-726d-0000-000000000000
if [ "$1" = --authorities ]; then
    PYTHONPATH=$folder exec python3 -m virt.firmware.sigdb --add-cert "$owner" "$2" --output "$3" >&2
fi
set -- "$1" "$2" --set-pk "$owner" "$1" --add-kek "$owner" "$1" --add-db "$owner" "$1"
output=$2
shift 2
PYTHONPATH=$folder python3 -m virt.firmware.vars --input /usr/share/OVMF/OVMF_VARS_4M.fd --output "$output" \
    --secure-boot "$@" >&2
