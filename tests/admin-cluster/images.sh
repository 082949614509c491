#!/bin/sh
# Puts images together from built programs and Debian's packages, each under the name that it is given.
#
# Usage: images.sh FOLDER IMAGE...    writes an archive for `ctr images import` into FOLDER for each
#
# What an image is made of follows from the last part of its name; registry and tag may be any. An image has of the real
# one only what its pods need, and nothing that the real one has not. CLUSTER_PROGRAMS is the folder that
# tests/cluster/build.sh printed.
set -eu
folder=$1
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$folder"
architecture=$(dpkg --print-architecture)

# add PROGRAM TARGET: a program without libraries.
add() {
    mkdir -p "$root${2%/*}"
    cp "$(readlink -f "$1")" "$root$2"
}

# add_with_libraries PROGRAM: a program of this computer and what it is linked with, where they are here.
add_with_libraries() {
    add "$1" "$1"
    ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
        add "$library" "$library"
    done
}

# built NAME: a program that the test cluster built.
built() {
    echo "$CLUSTER_PROGRAMS/bin/$1"
}

# of_tag NAME: the same, of the minor version in the image's tag where that is not the one that all others are of.
of_tag() {
    minor=$(echo "${image##*:}" | sed -n 's/^v\{0,1\}\([0-9]*\.[0-9]*\)\..*/\1/p')
    if [ -x "$(built "$1-$minor")" ]; then
        built "$1-$minor"
    else
        built "$1"
    fi
}

# fill NAME: puts the files of an image into $root, and sets its user and entrypoint where it has some.
fill() {
    case $1 in
        pause)
            add "$(built pause)" /pause
            user=65535:65535 entrypoint='"/pause"'
            ;;
        etcd)
            add "$(of_tag etcd)" /usr/local/bin/etcd
            add "$(built etcdctl)" /usr/local/bin/etcdctl
            ;;
        kube-apiserver | kube-controller-manager | kube-scheduler)
            add "$(of_tag "$1")" "/usr/local/bin/$1"
            ;;
        kube-proxy)
            add "$(built kube-proxy)" /usr/local/bin/kube-proxy
            add_with_libraries /usr/sbin/nft
            add_with_libraries /usr/sbin/xtables-nft-multi
            for command in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
                ln -s xtables-nft-multi "$root/usr/sbin/$command"
            done
            add_with_libraries /usr/sbin/conntrack
            # What iptables loads for its matches and targets.
            mkdir -p "$root/usr/lib/$(uname -m)-linux-gnu"
            cp -r "/usr/lib/$(uname -m)-linux-gnu/xtables" "$root/usr/lib/$(uname -m)-linux-gnu"
            ldd "$root/usr/lib/$(uname -m)-linux-gnu"/xtables/*.so | sed -n 's|.*=> \(/[^ ]*\) .*|\1|p' | sort -u |
                while read -r library; do
                    add "$library" "$library"
                done
            ;;
        coredns)
            add "$(built coredns)" /coredns
            setcap cap_net_bind_service=+ep "$root/coredns"
            user=65532:65532 entrypoint='"/coredns"'
            ;;
        proxy-server | proxy-agent)
            add "$(built "$1")" "/$1"
            user=65532 entrypoint="\"/$1\""
            ;;
        # MetalLB's.
        controller | speaker)
            add "$(built "metallb-$1")" "/$1"
            entrypoint="\"/$1\""
            ;;
        # Kubernetes' own helper for tests.
        agnhost)
            add "$(built agnhost)" /agnhost
            entrypoint='"/agnhost"'
            ;;
        *)
            echo "$0: no recipe for the image $image" >&2
            exit 1
            ;;
    esac
}

# pack: writes the archive of what is in $root, in the format of `docker save`.
pack() {
    mkdir -p "$root/etc" "$root/tmp"
    chmod 1777 "$root/tmp"
    printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532::/home/nonroot:/sbin/nologin\n%s' "$users" \
        >"$root/etc/passwd"
    printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"
    (cd "$root" && tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
        --xattrs --xattrs-include=security.capability -cf "$work/layer.tar" .)
    cat >"$work/config.json" <<END
{
  "architecture": "$architecture",
  "os": "linux",
  "config": {
    "User": "$user",
    "Entrypoint": [$entrypoint],
    "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    "WorkingDir": "/"
  },
  "rootfs": { "type": "layers", "diff_ids": ["sha256:$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)"] }
}
END
    echo "[{ \"Config\": \"config.json\", \"RepoTags\": [\"$image\"], \"Layers\": [\"layer.tar\"] }]" >"$work/manifest.json"
    tar -C "$work" -cf "$folder/$1.tar" manifest.json config.json layer.tar
}

for image; do
    name=${image##*/}
    name=${name%%[:@]*}
    root=$work/$name user='' users='' entrypoint=''
    mkdir "$root"
    fill "$name"
    pack "$name"
    rm -r "$root" "$work/layer.tar"
done
