#!/bin/sh
# Lays out what the boot server serves, and puts the image together.
#
# Usage: image.sh NODE_ROOT SYSTEM SERVER_ROOT LOADERS RELEASE OUTPUT_FOLDER    the folders that the steps before made
#
# Writes OUTPUT/srv, OUTPUT/layout and OUTPUT/boot.tar, with IMAGE as its name. PREVIOUS is the output folder of a build
# before, or nothing.
set -eu
node_root=$1 system=$2 server_root=$3 loaders=$4 release=$5 output=$6
here=$(cd "$(dirname "$0")/.." && pwd)
machine=srv/tftp/ltsp/x86_64
documents=usr/share/doc/kubefarm-image

# lay_out FOLDER...: what the boot server has beside its programs, in layers: what changes least comes first.
lay_out() {
    rm -rf "$output/srv" "$output/.layers"
    mkdir -p "$output/.layers/loaders/srv/tftp/ltsp" "$output/.layers/release/$machine" "$output/.layers/documents"
    cp -R "$loaders/grubx64.efi" "$loaders/grub" "$output/.layers/loaders/srv/tftp/"
    cp -R "$loaders/ltsp/grub" "$output/.layers/loaders/srv/tftp/ltsp/grub"
    copy "$release/x86_64/." "$output/.layers/release/$machine"
    # Signs the configuration, in the format that these initrds read.
    mkdir -p "$output/.layers/release/usr/bin"
    install -m 0755 "$FETCH" "$output/.layers/release/usr/bin/kubefarm-fetch"
    # Nodes that began to boot with it go on, and a boot server that is one release behind sends nobody away.
    if [ -n "$PREVIOUS" ]; then
        old=$(cat "$PREVIOUS/$machine/release")
        [ -e "$output/.layers/release/$machine/$old" ] ||
            copy "$PREVIOUS/$machine/$old" "$output/.layers/release/$machine/$old"
    fi
    [ -z "$UKI" ] || install -D -m 0644 "$UKI" "$output/.layers/release/srv/tftp/ltsp/uki/kubefarm.efi"
    for layer in loaders release; do
        mkdir -p "$output/srv"
        copy "$output/.layers/$layer/srv/." "$output/srv"
    done
}

# copy FROM TO: with links where that can be, since images are large.
copy() {
    cp -Rl "$1" "$2" 2>/dev/null || cp -R "$1" "$2"
}

# What is inside, for people and for programs: the server's packages, the nodes' and the boot loaders'.
document() {
    set --
    while read -r program; do
        set -- "$@" --program "$program"
    done <<END
$(cat "$loaders/programs" "$system/programs")
END
    python3 "$here/../sbom.py" --name "$IMAGE" --output "$output/.layers/documents/$documents" "$@" \
        "$server_root/server-root.tar" "$node_root/node-root.tar"
    cp "$output/.layers/documents/$documents/sbom.spdx.json" "$output/sbom.spdx.json"
}

lay_out
document
python3 "$here/../oci.py" --name "$IMAGE" --output "$output" --level 1 --owner 0:0 \
    --description 'Boots bare machines over the network into a system in RAM, for kubefarm' \
    --label "io.kubefarm.image-key=$("$FETCH" public "$KEY" | sed '/^-/d')" \
    --label "io.kubefarm.release=$(cat "$release/x86_64/release")" --label "io.kubefarm.version=$VERSION" \
    "$server_root/server-root.tar" "$output/.layers/loaders" "$output/.layers/documents" "$output/.layers/release"
rm -rf "$output/.layers"
