#!/bin/sh
# Joins the node to its cluster: kubeadm-join.service runs this until it has worked. Further words are kubeadm's.
#
# How to join came with the boot, but it may be of yesterday, and a control plane may come up later than the node. So the
# boot server is asked for the file anew each time; where it does not answer, the one that is there is tried. The file
# names the join service of the farm, or it has a token that all machines use.
set -eu

etc=/etc/ltsp
file=$etc/kubeadm-join.conf
authority=$etc/kubefarm-ca.crt
# In RAM: the key of this boot, its certificate, and what else came with that.
own=/run/kubefarm-join
# What the initrd has checked: the configuration that this node runs, when it was signed, and the keys. There is nothing
# where the boot server signs none.
boot=/run/kubefarm-boot
server=$(sed -n 's/.*\bltsp\.server=\([^ ]*\).*/\1/p' /proc/cmdline)
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

# The files are in the initrd with the configuration, which the boot menu's settings name.
fetch() {
    configuration=$(curl -sSf -m 20 "http://$server/ltsp/grub/settings.cfg" | sed -n 's/^set configuration=//p')
    url=http://$server/ltsp/configuration/$configuration/ltsp.img
    if [ -s "$boot/keys.pem" ]; then
        curl -sSf -m 60 -o "$new/signed" "$url.signed" &&
            /usr/lib/kubefarm/kubefarm-fetch configuration --key "$boot/keys.pem" --header "$new/header" \
                --output "$new/ltsp.img" --file "$new/signed"
    else
        curl -sSf -m 60 -o "$new/ltsp.img" "$url"
    fi
    (cd "$new" && busybox cpio -i -d <ltsp.img 2>/dev/null)
    test -s "$new$file"
}

# named HEADER FIELD: what the header of a configuration says.
named() {
    sed -n "s/^$2 //p" "$1" 2>/dev/null || true
}

# Whether the boot server has another configuration now than the one that this node runs.
is_replaced() {
    test -s "$new/header" && test "$(named "$new/header" name)" != "$(named "$boot/configuration" name)"
}

# keep FILE MODE: takes a file that was fetched, in one step.
keep() {
    test -s "$new$1" || return 0
    cp "$new$1" "$1.new"
    chmod "$2" "$1.new"
    mv "$1.new" "$1"
}

# The name of the control plane, as LTSP writes it at boot.
name_control_plane() {
    test -z "${HOSTS_KUBERNETES:-}" || grep -qxF "$HOSTS_KUBERNETES" /etc/hosts || echo "$HOSTS_KUBERNETES" >>/etc/hosts
}

# fail WORD...: what stands in the journal and on the console, and what the boot server hears.
fail() {
    echo "$*" >&2
    sh "$etc/kubefarm-report.sh" "$*"
    exit 1
}

# Whether the kubelet has its own certificate: it goes on by itself, also where kubeadm gave up waiting for it.
has_joined() {
    test -e /etc/kubernetes/kubelet.conf && test -e /var/lib/kubelet/pki/kubelet-client-current.pem
}

# What a failed attempt leaves behind would make kubeadm refuse the next one.
clean_up() {
    if [ -e /etc/kubernetes/bootstrap-kubelet.conf ] || [ -e /etc/kubernetes/pki/ca.crt ]; then
        kubeadm reset --force
    fi
}

# Asks the join service for a certificate for this machine's name, unless there is one that lasts for a whole attempt.
ask() {
    openssl x509 -in "$own/node.crt" -noout -checkend 360 >/dev/null 2>&1 && return
    name=$(uname -n | tr '[:upper:]' '[:lower:]')
    query=name=$name
    for address in /sys/class/net/*/address; do
        read -r mac <"$address" || continue
        case $mac in
        '' | 00:00:00:00:00:00) ;;
        *) query="$query&mac=$mac" ;;
        esac
    done
    # The join service takes none that was signed long ago: somebody may serve what was right last week.
    signed=$(named "$boot/configuration" signed)
    query="$query${signed:+&signed=$signed}"
    # A request whose answer was lost is made again as it was: then the same certificate is the answer.
    if [ -e "$own/node.crt" ] || [ ! -s "$own/request" ]; then
        rm -f "$own/node.crt" "$own/request"
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$own/node.key" 2>/dev/null
        openssl req -new -key "$own/node.key" -subj "/O=system:nodes/CN=system:node:$name" -out "$own/request"
    fi
    status=$(curl -sS -m 70 --cacert "$authority" --connect-to "$JOIN_SERVICE:$JOIN_ADDRESS:" -o "$new/answer" \
        -w '%{http_code}' --data-binary "@$own/request" "https://$JOIN_SERVICE/v1/join?$query" 2>"$new/fault") ||
        fail "The join service $JOIN_SERVICE at $JOIN_ADDRESS cannot be asked: $(cat "$new/fault")." \
            "The node has not joined; trying again."
    # 412: not with this configuration. With the one that the boot server has now, after a reboot.
    if [ "$status" = 412 ] && is_replaced; then
        echo "The join service does not let $name in: $(head -c 500 "$new/answer")" \
            "The boot server has another configuration now: this machine starts anew to load it." >&2
        systemctl --no-block reboot
        exit 1
    fi
    if [ "$status" != 200 ]; then
        fail "The join service does not let $name in: $(head -c 500 "$new/answer")" \
            "The node has not joined; trying again."
    fi
    (cd "$own" && tar -x -f "$new/answer")
    take_secrets
}

# What came with the certificate: the hash of root's password, and files of /etc/ltsp.
take_secrets() {
    test ! -s "$own/root-password" || usermod -p "$(cat "$own/root-password")" root
    rm -f "$own/root-password"
    if [ -d "$own/ltsp" ]; then
        cp -R --preserve=mode "$own/ltsp/." "$etc/"
        rm -rf "$own/ltsp"
    fi
}

# Where the control plane is, and as whom to join. kubeadm hands it to the kubelet, which asks for its own certificate.
write_discovery() {
    cat >"$own/discovery.conf" <<END
apiVersion: v1
kind: Config
clusters: [{name: farm, cluster: {server: "$API_SERVER", certificate-authority-data: $(base64 -w0 <"$authority")}}]
users: [{name: node, user: {client-certificate-data: $(base64 -w0 <"$own/node.crt"), client-key-data: $(base64 -w0 <"$own/node.key")}}]
contexts: [{name: farm, context: {cluster: farm, user: node}}]
current-context: farm
END
}

join_by_service() {
    # Only root reads what is written from here on.
    umask 077
    mkdir -p "$own"
    test -s "$authority" || fail "The boot server has not said yet which authority to trust."
    ask
    clean_up
    write_discovery
    umask 022
    rm -rf "$new"
    exec kubeadm join --discovery-file "$own/discovery.conf" "$@"
}

# Asks for what kubeadm will ask for: it takes five minutes to give up, and then does not say which of the two it was.
# Nothing of the answer is trusted here; kubeadm compares the authority.
check_token() {
    # kubeadm join HOST:PORT --token ID.SECRET ...
    # shellcheck disable=SC2086 # a command
    set -- $JOIN_COMMAND
    endpoint=$3 token=${5%%.*}
    info=$(curl -sSk -m 20 "https://$endpoint/api/v1/namespaces/kube-public/configmaps/cluster-info" 2>&1) ||
        fail "The API server $endpoint cannot be reached: $info. The node has not joined; trying again."
    case $info in
    *"jws-kubeconfig-$token"*) ;;
    *)
        fail "The control plane at $endpoint does not know the token $token, or no longer: tokens expire." \
            "The node has not joined; trying again with the token that the boot server has then."
        ;;
    esac
}

join_by_token() {
    check_token
    clean_up
    rm -rf "$new"
    # shellcheck disable=SC2086 # a command
    exec $JOIN_COMMAND "$@"
}

if has_joined; then
    exit
fi
sh "$etc/kubefarm-report.sh"
if [ -n "$server" ] && (fetch); then
    keep "$file" 0600
    keep "$authority" 0644
    # The same as this node runs, signed anew.
    if [ -s "$new/header" ] && ! is_replaced; then
        cp "$new/header" "$boot/configuration"
    fi
elif [ -s "$file" ]; then
    echo "The boot server ${server:-, which nobody named,} does not say how to join; trying what came with the boot." >&2
else
    fail "The boot server ${server:-, which nobody named,} does not say how to join yet."
fi
# shellcheck source=/dev/null
. "$file"
name_control_plane
if [ -n "${JOIN_SERVICE:-}" ]; then
    join_by_service "$@"
else
    join_by_token "$@"
fi
