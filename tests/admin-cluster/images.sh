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

# add_with_libraries PROGRAM [FOLDER]: a program of this computer and what it is linked with, where they are here; or of
# FOLDER, where `unpack` put them.
add_with_libraries() {
    from=${2:-}
    add "$from$1" "$1"
    LD_LIBRARY_PATH=${from:+$libraries} ldd "$from$1" | grep -o '/[^ ]*' | while read -r library; do
        add "$library" "${library#"$from"}"
    done
}

# unpack PACKAGE...: puts the files of Debian's packages into $unpacked. Nothing is installed here, so that no server
# starts. What was downloaded once stays in the cache.
unpack() {
    unpacked=$work/unpacked
    libraries=$unpacked/usr/lib/$(uname -m)-linux-gnu
    packages=${XDG_CACHE_HOME:-$HOME/.cache}/kubefarm/packages
    mkdir -p "$packages" "$unpacked"
    for package; do
        archive=$(find "$packages" -name "${package}_*.deb" | head -n 1)
        if [ -z "$archive" ]; then
            (cd "$packages" && apt-get --quiet=2 --option APT::Sandbox::User=root download "$package") >&2
            archive=$(find "$packages" -name "${package}_*.deb" | head -n 1)
        fi
        dpkg-deb --extract "$archive" "$unpacked"
    done
}

# add_debian: the folders of a Debian, and what its scripts expect.
add_debian() {
    for part in bin sbin lib lib64; do
        mkdir -p "$root/usr/$part"
        ln -s "usr/$part" "$root/$part"
    done
    for program in awk basename cat chmod cmp cp cpio cut dash find getopt grep head ln ls mkdir mktemp mv readlink rm sed \
        sleep sort touch tr; do
        add_with_libraries "$(command -v "$program")"
    done
    ln -s dash "$root/usr/bin/sh"
    # dnsmasq does not start without the user that it could become.
    users='nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
'
}

# built NAME: a program that the test cluster built.
built() {
    echo "$CLUSTER_PROGRAMS/bin/$1"
}

# fill NAME: puts the files of an image into $root, and sets its user and entrypoint where it has some.
fill() {
    case $1 in
        pause)
            add "$(built pause)" /pause
            user=65535:65535 entrypoint='"/pause"'
            ;;
        etcd)
            add "$(built etcd)" /usr/local/bin/etcd
            add "$(built etcdctl)" /usr/local/bin/etcdctl
            ;;
        kube-apiserver | kube-controller-manager | kube-scheduler)
            add "$(built "$1")" "/usr/local/bin/$1"
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
        # The boot server, as far as it serves nodes: without kernels and system images, since machines here do not load
        # them.
        boot)
            unpack nginx inotify-tools libinotifytools0 grub-common grub-pc-bin grub-efi-amd64-bin libefivar1 libefiboot1
            add_debian
            add_with_libraries /usr/bin/busybox
            add_with_libraries /usr/sbin/dnsmasq
            add_with_libraries /usr/sbin/nginx "$unpacked"
            add_with_libraries /usr/bin/inotifywait "$unpacked"
            mkdir -p "$root/usr/share" "$root/etc/ltsp" "$root/srv/tftp"
            cp -r /usr/share/ltsp "$root/usr/share"
            ln -s ../share/ltsp/ltsp "$root/usr/sbin/ltsp"
            for platform in i386-pc x86_64-efi; do
                LD_LIBRARY_PATH=$libraries "$unpacked/usr/bin/grub-mknetdir" --net-directory="$root/srv/tftp" \
                    --subdir=ltsp/grub --directory="$unpacked/usr/lib/grub/$platform" --locales= --fonts= >/dev/null
            done
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
