#!/bin/sh
# Joins the node with the token of now: kubeadm-join.service runs this until it has worked.
#
# The join command came with the boot, but a token lives for hours and a control plane may come up later than the node.
# So the boot server is asked for the file anew each time; where it does not answer, the one that is there is tried.
set -eu

file=/etc/ltsp/kubeadm-join.conf
server=$(sed -n 's/.*\bltsp\.server=\([^ ]*\).*/\1/p' /proc/cmdline)
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

# The file is in the initrd with the configuration, which the boot menu's settings name.
fetch() {
    configuration=$(curl -sSf -m 20 "http://$server/ltsp/grub/settings.cfg" | sed -n 's/^set configuration=//p')
    curl -sSf -m 60 -o "$new/ltsp.img" "http://$server/ltsp/configuration/$configuration/ltsp.img"
    (cd "$new" && busybox cpio -i -d <ltsp.img 2>/dev/null)
    test -s "$new/etc/ltsp/kubeadm-join.conf"
}

# The name of the control plane, as LTSP writes it at boot.
name_control_plane() {
    test -z "${HOSTS_KUBERNETES:-}" || grep -qxF "$HOSTS_KUBERNETES" /etc/hosts || echo "$HOSTS_KUBERNETES" >>/etc/hosts
}

# Asks for what kubeadm will ask for: it takes five minutes to give up, and then does not say which of the two it was.
# Nothing of the answer is trusted here; kubeadm compares the authority.
check_control_plane() {
    # kubeadm join HOST:PORT --token ID.SECRET ...
    # shellcheck disable=SC2086 # a command
    set -- $JOIN_COMMAND
    endpoint=$3 token=${5%%.*}
    if ! info=$(curl -sSk -m 20 "https://$endpoint/api/v1/namespaces/kube-public/configmaps/cluster-info" 2>&1); then
        echo "The API server $endpoint cannot be reached: $info. The node has not joined; trying again." >&2
        exit 1
    fi
    case $info in
    *"jws-kubeconfig-$token"*) ;;
    *)
        echo "The control plane at $endpoint does not know the token $token, or no longer: tokens expire." \
            "The node has not joined; trying again with the token that the boot server has then." >&2
        exit 1
        ;;
    esac
}

# What a failed attempt leaves behind would make kubeadm refuse the next one.
clean_up() {
    if [ -e /etc/kubernetes/bootstrap-kubelet.conf ] || [ -e /etc/kubernetes/pki/ca.crt ]; then
        kubeadm reset --force
    fi
}

if [ -n "$server" ] && (fetch); then
    cp "$new/etc/ltsp/kubeadm-join.conf" "$file.new"
    chmod 0600 "$file.new"
    mv "$file.new" "$file"
elif [ -s "$file" ]; then
    echo "The boot server ${server:-, which nobody named,} has no join command; trying the one of the boot." >&2
else
    echo "The boot server ${server:-, which nobody named,} has no join command yet." >&2
    exit 1
fi
# shellcheck source=/dev/null
. "$file"
name_control_plane
check_control_plane
clean_up
# shellcheck disable=SC2086 # a command
exec $JOIN_COMMAND
