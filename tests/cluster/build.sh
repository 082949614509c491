#!/bin/sh
# Builds the programs of the test cluster from their pinned Go modules, as far as the cache has them not.
#
# Usage: build.sh [PROGRAM...]    without one: all but those of the minor versions before
#
# Prints a folder on standard output, whose `bin` has the programs, whose `crds` has cert-manager's CRDs, and whose
# `metallb` has MetalLB's manifests.
# A program is built anew only when its module's folder here changes.
#
#   KUBEFARM_TEST_CACHE   the cache (default: ~/.cache/kubefarm); what is in it may be removed at any time
#   KUBEBUILDER_ASSETS    a folder whose etcd, kube-apiserver and kubectl are taken instead of our own
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${KUBEFARM_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubefarm}
modules='kubernetes kubernetes-1.36 etcd etcd-3.6 etcd-3.5 helm cert-manager coredns konnectivity metallb kube-router registry'
modules="$modules port-forward age"
programs='etcd etcdctl kube-apiserver kube-controller-manager kube-scheduler kubeadm kubectl helm cert-manager'
# What a cluster with nodes needs on top.
programs="$programs etcdutl kubelet kube-proxy pause agnhost coredns proxy-server proxy-agent metallb-controller metallb-speaker"
# What enforces NetworkPolicies.
programs="$programs kube-router"
# A registry of images, and what puts them there.
programs="$programs registry crane"
# An etcd of the old charts, for what farms of old values run.
programs="$programs etcd-3.5"
# Connections with ports of pods.
programs="$programs port-forward"
# What opens backups without kubefarm.
programs="$programs age age-keygen"

# What an upgrade begins with. These take minutes, and are built only where they are named.
before='etcd-3.6 kube-apiserver-1.36 kube-controller-manager-1.36 kube-scheduler-1.36'

# missing WHAT: exit code 3 says that this machine lacks something.
missing() {
    echo "$0: needs $*" >&2
    exit 3
}

# module_of PROGRAM: the folder here whose go.mod pins it.
module_of() {
    case $1 in
        etcd | etcdctl | etcdutl) echo etcd ;;
        kube-*-1.36) echo kubernetes-1.36 ;;
        etcd-3.[56] | helm | cert-manager | coredns | kube-router | port-forward) echo "$1" ;;
        proxy-server | proxy-agent) echo konnectivity ;;
        registry | crane) echo registry ;;
        age | age-keygen) echo age ;;
        metallb-*) echo metallb ;;
        *) echo kubernetes ;;
    esac
}

# package_of PROGRAM: the Go package of its command.
package_of() {
    case $1 in
        etcd | etcd-3.[56]) echo go.etcd.io/etcd/server/v3 ;;
        etcdctl) echo go.etcd.io/etcd/etcdctl/v3 ;;
        etcdutl) echo go.etcd.io/etcd/etcdutl/v3 ;;
        helm) echo helm.sh/helm/v4/cmd/helm ;;
        cert-manager | coredns | registry | port-forward) echo . ;;
        crane) echo github.com/google/go-containerregistry/cmd/crane ;;
        age | age-keygen) echo "filippo.io/age/cmd/$1" ;;
        proxy-*) echo "sigs.k8s.io/apiserver-network-proxy/cmd/${1#proxy-}" ;;
        metallb-*) echo "go.universe.tf/metallb/${1#metallb-}" ;;
        kube-router) echo github.com/cloudnativelabs/kube-router/v2/cmd/kube-router ;;
        agnhost) echo k8s.io/kubernetes/test/images/agnhost ;;
        *) echo "k8s.io/kubernetes/cmd/${1%-1.36}" ;;
    esac
}

# version_of MODULE PATH: the version that the module's go.mod pins.
version_of() {
    awk -v path="$2" '{ sub(/^require /, "") } $1 == path && NF > 1 { print $2; exit }' "$here/$1/go.mod"
}

# stamps MODULE: what the linker writes into the programs, because they say their version from variables.
stamps() {
    case $1 in
        kubernetes*)
            version=$(version_of "$1" k8s.io/kubernetes)
            numbers=${version#v}
            minor=${numbers#*.}
            for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
                printf -- '-X %s=%s ' \
                    "$package.gitVersion" "$version" \
                    "$package.gitMajor" "${numbers%%.*}" \
                    "$package.gitMinor" "${minor%%.*}" \
                    "$package.gitCommit" '' \
                    "$package.gitTreeState" archive
            done
            ;;
        helm) printf -- '-X helm.sh/helm/v4/internal/version.version=%s' "$(version_of helm helm.sh/helm/v4)" ;;
    esac
}

# store_of MODULE: the folder of the cache for the module as it is now.
store_of() {
    key=$({ cat "$here/$1"/*; stamps "$1"; } | sha256sum | cut -c1-16)
    echo "$cache/$1-$key"
}

# go_is_there: ends the script where Go is missing or too old to fetch the Go that the modules ask for.
go_is_there() {
    command -v go >/dev/null || missing 'go 1.21 or newer (Debian package golang-go)'
    version=$(cd / && go env GOVERSION)
    case $version in
        go1.[0-9] | go1.[0-9].* | go1.1[0-9]* | go1.20*) missing "go 1.21 or newer, not $version" ;;
    esac
    # Debian's Go fetches no newer one of itself.
    export GOTOOLCHAIN="${GOTOOLCHAIN:-auto}" CGO_ENABLED=0
}

# pause_source: the file in Kubernetes' module, whose folder is the current one.
pause_source() {
    go mod download k8s.io/kubernetes
    echo "$(go list -m -f '{{.Dir}}' k8s.io/kubernetes)/build/pause/linux/pause.c"
}

# build PROGRAM STORE: into bin of the store, under its name only when it is whole.
build() {
    go_is_there
    # One at a time: two builds at once would do the same work twice.
    exec 9>"$cache/lock"
    flock 9
    [ ! -x "$2/bin/$1" ] || return 0
    module=$(module_of "$1")
    echo "building $1" >&2
    mkdir -p "$2/bin"
    (
        cd "$here/$module"
        case $1 in
            # The one that is written in C.
            pause) cc -Os -static -DVERSION=kubefarm -o "$2/bin/.$1.$$" "$(pause_source)" ;;
            *)
                nice -n 10 go build -buildvcs=false -trimpath -ldflags "-s -w $(stamps "$module")" \
                    -o "$2/bin/.$1.$$" "$(package_of "$1")" >&2
                ;;
        esac
    )
    mv "$2/bin/.$1.$$" "$2/bin/$1"
}

# copy_manifests MODULE PATH FOLDER TARGET: the manifests of a folder of the Go module PATH.
copy_manifests() {
    go_is_there
    source=$(cd "$here/$1" && go mod download "$2" && go list -m -f '{{.Dir}}' "$2")
    half=${4%/*}/.manifests.$$
    mkdir -p "$half"
    cp "$source/$3"/*.yaml "$half"
    chmod -R u+w "$half"
    mv -T "$half" "$4" 2>/dev/null || rm -r "$half"
}

# provide_manifests NAME MODULE PATH FOLDER: puts a link NAME to them into the folder that is printed.
provide_manifests() {
    store=$(store_of "$2")
    [ -d "$store/$1" ] || copy_manifests "$2" "$3" "$4" "$store/$1"
    link "$store/$1" "$all/$1"
}

# provide PROGRAM: puts it, or its link, into the folder that is printed.
provide() {
    if [ -n "${KUBEBUILDER_ASSETS:-}" ] && [ -x "$KUBEBUILDER_ASSETS/$1" ]; then
        case $1 in
            etcd | kube-apiserver | kubectl)
                link "$KUBEBUILDER_ASSETS/$1" "$all/bin/$1"
                return
                ;;
        esac
    fi
    store=$(store_of "$(module_of "$1")")
    [ -x "$store/bin/$1" ] || build "$1" "$store"
    link "$store/bin/$1" "$all/bin/$1"
    case $1 in
        cert-manager) provide_manifests crds cert-manager github.com/cert-manager/cert-manager deploy/crds ;;
        metallb-controller) provide_manifests metallb metallb go.universe.tf/metallb config/manifests ;;
    esac
}

# link TARGET NAME
link() {
    [ -e "$2" ] || ln -s -f -n "$1" "$2"
}

for program; do
    case " $programs $before " in
        *" $program "*) ;;
        *)
            echo "$0: unknown program: $program (known: $programs $before)" >&2
            exit 1
            ;;
    esac
done
[ $# -gt 0 ] || eval "set -- $programs"

stores="${KUBEBUILDER_ASSETS:-}"
for module in $modules; do
    stores="$stores $(store_of "$module")"
done
all="$cache/cluster-$(echo "$stores" | sha256sum | cut -c1-16)"
mkdir -p "$all/bin"
for program; do
    provide "$program"
done
echo "$all"
