#!/bin/sh
# Signs a module of the kernel, as the kernel's scripts/sign-file does (Documentation/admin-guide/module-signing.rst).
#
# Usage: sign-module.sh KEY CERTIFICATE MODULE
set -eu
key=$1 certificate=$2 module=$3
signature=$module.p7s

openssl cms -sign -binary -noattr -nocerts -nosmimecap -md sha512 -outform DER -inkey "$key" -signer "$certificate" \
    -in "$module" -out "$signature"
size=$(stat -c %s "$signature")
# struct module_signature: PKCS#7 and, at its end, the signature's size with the highest byte first.
{
    cat "$signature"
    printf '\0\0\2\0\0\0\0\0'
    for shift in 24 16 8 0; do
        # shellcheck disable=SC2059 # an octal number
        printf "\\$(printf %03o $((size >> shift & 255)))"
    done
    printf '~Module signature appended~\n'
} >>"$module"
rm "$signature"
