#!/bin/sh
# Prepares what the nodes fetch, and again whenever the configuration changes.
#
# Reads   /config       ltsp.conf and its companions, as Kubernetes mounts them
#         /scripts      grub.cfg, boot.ipxe
#         /configuration-key/tls.key   what the configuration is signed with; without it, it is not signed
#         /srv/tftp     what the image brings: boot loaders in ltsp/grub and where signed ones look for one another;
#                       kernels, initrds and system images, which are served from there, in ltsp/x86_64/RELEASE
#                       and ltsp/arm64/RELEASE; the name of the release in use is in the file `release` beside
# Writes  /etc/ltsp     the configuration in one piece, where LTSP looks for it
#         /shared       the boot loaders, the menu, and ltsp/configuration/NAME/ltsp.img: an initrd with /etc/ltsp
#                       and LTSP itself, under the name of its content; there.cfg beside it is for grub.cfg.
#                       ltsp.img.signed is the same for initrds that check it: signed, in one file
#         /shared/ltsp  links for machines without a boot menu, whose kernel has a command line of its own: `current`,
#                       the configuration of now; MACHINE/NAME, a release by the start of its manifest's SHA-256, as
#                       the signed configuration has it; `uki`, the kernel itself
#
# A node that has loaded the menu of one configuration loads that one's ltsp.img and no other, from whichever boot
# server; so the one before stays until the next but one is there.
set -eu

config=/config
image=/srv/tftp
shared=/shared
key=/configuration-key/tls.key
# The join service takes no configuration that was signed a day ago: often enough for a server that fails for hours.
sign_again=1800
staging=$shared/.staging

# Everything is built aside and moved into place, so that a node never loads half a file.
publish() {
    rm -rf "$staging"
    mkdir -p "$staging/ltsp" "$shared/ltsp/configuration"
    assemble
    public=$(public_key)
    # LTSP checks the syntax of every *.sh on the way; a mistake there ends here. It wants to know the
    # network it is on, to find settings for this server: there are none.
    DEVICE=none IP_ADDRESS=0.0.0.0 MAC_ADDRESS=00:00:00:00:00:00 \
        TFTP_DIR=$staging TMPDIR=$staging ltsp initrd
    configuration=$(name_of_configuration)
    stage_grub
    publish_configuration
    link_for_signed_kernels
    mv -f "$staging/boot.ipxe" "$shared/ltsp/boot.ipxe"
    publish_folder ltsp/grub
    publish_signed
    rm -rf "$staging"
}

# Mounted files are links into a hidden folder; nodes get plain files, with node parts in one ltsp.conf.
assemble() {
    find /etc/ltsp -mindepth 1 -delete
    for file in "$config"/* "$config"/.[!.]*; do
        test ! -e "$file" || cp -RL --preserve=mode "$file" /etc/ltsp/
    done
    rm -rf /etc/ltsp/parts
    # Without capabilities root writes into no file that is read-only.
    chmod 0600 /etc/ltsp/ltsp.conf
    for part in "$config"/parts/*; do
        test ! -f "$part" || cat "$part" >>/etc/ltsp/ltsp.conf
    done
    # LTSP would otherwise put this server's users and SSH keys there.
    touch /etc/ltsp/passwd /etc/ltsp/group /etc/ltsp/ssh_known_hosts
    chmod 0644 /etc/ltsp/passwd /etc/ltsp/group /etc/ltsp/ssh_known_hosts
    # A volume is open to everyone, and nodes would have the folders as they are here.
    find /etc/ltsp -type d -exec chmod 0755 '{}' +
    # 0400 is what files have that nobody chose a mode for.
    find /etc/ltsp -type f -perm 0400 -name '*.sh' -exec chmod 0755 '{}' +
    find /etc/ltsp -type f -perm 0400 -exec chmod 0644 '{}' +
    for secret in ltsp.conf kubeadm-join.conf; do
        test ! -f "/etc/ltsp/$secret" || chmod 0600 "/etc/ltsp/$secret"
    done
}

# The public half of the key, as one line of base64; nothing where nothing can be signed.
public_key() {
    if [ -s "$key" ] && command -v kubefarm-fetch >/dev/null; then
        pem=$(kubefarm-fetch public "$key")
        echo "$pem" | sed '/^-/d'
    fi
}

# The same on every boot server that has the same configuration, key and image: the content decides.
name_of_configuration() {
    {
        echo "$public"
        cat "$image"/ltsp/*/release 2>/dev/null || true
        cd /etc/ltsp
        find . -type f | LC_ALL=C sort | while read -r file; do
            stat -c '%a %n' "$file"
            sha256sum <"$file"
        done
    } | sha256sum | cut -c1-16
}

stage_grub() {
    cp -R "$image/ltsp/grub" "$staging/ltsp/grub"
    cp /scripts/grub.cfg "$staging/ltsp/grub/grub.cfg"
    mkdir -p "$staging/ltsp/grub/nodes"
    sh /scripts/boot-menu.sh /etc/ltsp/ltsp.conf "$staging/ltsp/grub" "$configuration" "$image/ltsp" "$public"
    {
        sed 1q /scripts/boot.ipxe
        cat "$staging/ltsp/grub/settings.ipxe"
        sed 1d /scripts/boot.ipxe
    } >"$staging/boot.ipxe"
    chmod -R a+rX "$staging/ltsp" "$staging/boot.ipxe"
}

publish_configuration() {
    mkdir -p "$shared/ltsp/configuration/$configuration"
    mv -f "$staging/ltsp/ltsp.img" "$shared/ltsp/configuration/$configuration/ltsp.img"
    if [ -n "$public" ]; then
        echo "The configuration is signed with the key $public."
        sign "$configuration"
    fi
    echo "set there=$configuration" >"$shared/ltsp/configuration/$configuration/there.cfg"
    chmod -R a+rX "$shared/ltsp/configuration"
    # The newest two stay. A name may come back: then it is the newest again.
    touch "$shared/ltsp/configuration/$configuration"
    # shellcheck disable=SC2012 # names of our own
    ls -t "$shared/ltsp/configuration" | tail -n +3 | while read -r old; do
        rm -rf "$shared/ltsp/configuration/$old"
    done
}

link_for_signed_kernels() {
    for manifest in "$image"/ltsp/*/*/root.squashfs.manifest; do
        test -f "$manifest" || continue
        folder=${manifest%/*}
        machine=${folder%/*}
        machine=$shared/ltsp/${machine##*/}
        mkdir -p "$machine"
        ln -sfn "$folder" "$machine/$(sha256sum <"$manifest" | cut -c1-16)"
    done
    test ! -d "$image/ltsp/uki" || ln -sfn "$image/ltsp/uki" "$shared/ltsp/uki"
    ln -sfn "configuration/$configuration" "$staging/current"
    mv -fT "$staging/current" "$shared/ltsp/current"
}

# sign CONFIGURATION: with the time, and with the images that belong to it.
sign() {
    folder=$shared/ltsp/configuration/$1
    set -- --key "$key" --name "$1" --output "$folder/ltsp.img.signed"
    for machine in x86_64 arm64; do
        release=$(cat "$image/ltsp/$machine/release" 2>/dev/null || true)
        manifest=$image/ltsp/$machine/$release/root.squashfs.manifest
        test ! -f "$manifest" || set -- "$@" --image "$machine=$manifest"
    done
    kubefarm-fetch sign-configuration "$@" "$folder/ltsp.img"
}

# Signs anew what the boot menu names.
sign_current() {
    public=$(public_key)
    test -n "$public" || return 0
    sign "$(sed -n 's/^set configuration=//p' "$shared/ltsp/grub/settings.cfg")"
}

# A folder that is not empty cannot be replaced in one step: for an instant there is none, and a node that
# asks right then tries again.
publish_folder() {
    rm -rf "$staging/previous"
    test ! -e "$shared/$1" || mv "$shared/$1" "$staging/previous"
    mv "$staging/$1" "$shared/$1"
}

# Shim looks for its second stage at the top of the TFTP server, and the signed GRUB for its menu in /grub.
publish_signed() {
    for part in grubx64.efi grub; do
        test -e "$shared/$part" || test ! -e "$image/$part" || cp -R "$image/$part" "$shared/$part"
    done
}

# Kubernetes replaces a mounted configuration, and a key, by turning the link ..data to a new folder.
configuration() {
    readlink "$config/..data" || ls -l "$config"
    readlink "${key%/*}/..data" || true
}

# Returns on a change, or after a minute for whatever was missed.
wait_for_change() {
    result=0
    inotifywait -q -q -t 60 -e create,moved_to,delete "$config" || result=$?
    # 0: something happened; 2: nothing did. Anything else is a fault that must not become a busy loop.
    case $result in
    0 | 2) ;;
    *) sleep 60 ;;
    esac
}

umask 0022
case ${1-} in
once)
    publish
    exit
    ;;
sign)
    sign_current
    exit
    ;;
esac

# Before the first success there is nothing to serve: fail, and let Kubernetes restart and report it.
published=$(configuration)
publish
signed=$(date +%s)
while wait_for_change; do
    current=$(configuration)
    # In a process of its own: `set -e` does not work inside a condition.
    if [ "$current" = "$published" ]; then
        :
    elif sh "$0" once; then
        published=$current signed=$(date +%s)
    else
        echo "The new configuration cannot be used; nodes keep booting with the old one." >&2
    fi
    if [ $(($(date +%s) - signed)) -lt "$sign_again" ]; then
        :
    elif sh "$0" sign; then
        signed=$(date +%s)
    else
        echo "The configuration cannot be signed anew; from a day after its last signature on, no node joins." >&2
    fi
done
