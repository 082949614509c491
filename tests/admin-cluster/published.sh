#!/bin/sh
# Builds the images that this project publishes, as it publishes them. `images.sh` makes stand-ins for the others.
#
# Usage: published.sh FOLDER IMAGE...    FOLDER/NAME/layout becomes an image's layout; prints the names of the others
#
# CLUSTER_PROGRAMS is the folder that tests/cluster/build.sh printed, KUBEFARM the program under test,
# KUBEFARM_BOOT_IMAGE the folder that tests/boot-image.sh printed.
set -eu
images=$(cd "$(dirname "$0")/../../images" && pwd)
folder=$1
shift

for image; do
    name=${image##*/}
    name=${name%%[:@]*}
    # Packed as little as the program can: it is read once.
    set -- --name "$image" --output "$folder/$name" --level 1
    case $name in
        tools) "$images/tools/build.sh" "$@" --kubefarm "$KUBEFARM" --programs "$CLUSTER_PROGRAMS/bin" >/dev/null ;;
        boot)
            mkdir -p "$folder"
            cp -Rl "$KUBEFARM_BOOT_IMAGE" "$folder/boot" 2>/dev/null || cp -R "$KUBEFARM_BOOT_IMAGE" "$folder/boot"
            ;;
        *) echo "$image" ;;
    esac
done
