#!/bin/sh
# One release of what nodes load: kernel, initrd and image, in a folder named after their content.
#
# Usage: release.sh SYSTEM_FOLDER OUTPUT_FOLDER    with the settings of build.sh in the environment
#
# Signs the image, and tells the initrd the keys and the version, in an archive behind it. Writes x86_64/RELEASE/… and
# x86_64/release, the name. The file configuration-format says to the boot server which signed configurations the initrd
# reads.
set -eu
system=$1 output=$2
files=$output/.files
mkdir -p "$files" "$output/conf/kubefarm"

"$FETCH" public "$KEY" >"$output/conf/kubefarm/keys.pem"
echo "$VERSION" >"$output/conf/kubefarm/version"
find "$output/conf" -exec touch -d "@$SOURCE_DATE_EPOCH" '{}' +
# An archive begins at a multiple of four bytes, or the kernel drops it without a word.
{
    cat "$system/initrd.base"
    head -c $(((512 - $(stat -c %s "$system/initrd.base") % 512) % 512)) /dev/zero
    (cd "$output" && find conf | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0)
} >"$files/initrd.img"
# For people who want to know the key.
cp "$output/conf/kubefarm/keys.pem" "$files/keys.pem"
rm -r "$output/conf"
cp "$system/vmlinuz" "$files/vmlinuz"
# A link where it can be: it is large.
ln "$system/root.squashfs" "$files/root.squashfs" 2>/dev/null || cp "$system/root.squashfs" "$files/root.squashfs"
"$FETCH" sign --key "$KEY" --version "$VERSION" --kernel "$(cat "$system/kernel")" "$files/root.squashfs"
echo 1 >"$files/configuration-format"

release=$(cd "$files" && sha256sum vmlinuz initrd.img root.squashfs.manifest | sha256sum | cut -c1-16)
mkdir -p "$output/x86_64"
mv "$files" "$output/x86_64/$release"
chmod 0644 "$output/x86_64/$release"/*
echo "$release" >"$output/x86_64/release"
