#!/bin/sh
# Takes this project to another Kubernetes: every place that names its version, and what is made from its sources.
#
# Usage: kubernetes.sh VERSION    such as v1.38.0; `make kubernetes VERSION=v1.38.0`
#
# It changes files and commits nothing. docs/kubernetes-version.md says what a person has to look at afterwards. Needs
# Go, Cargo, and a tree without changes; run again, it goes on from where it was.
set -eu
case ${1-} in
    v1.[0-9]*.[0-9]*) ;;
    *)
        sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
cd "$(dirname "$0")/.."
new=$1 number=${1#v1.}
minor=${number%%.*}
old=$(sed -n 's/^appVersion: //p' charts/kubernetes/Chart.yaml)
old_minor=${old#v1.}
old_minor=${old_minor%%.*}
export GOTOOLCHAIN="${GOTOOLCHAIN:-auto}"

step() {
    echo "-- $*" >&2
}

step "$old -> $new in charts, images and tests"
for file in charts/addons/Chart.yaml charts/kubernetes/Chart.yaml charts/kubernetes/values.yaml images/boot/Dockerfile \
    images/tools/Dockerfile images/tools/build.sh images/tools/programs.sh; do
    sed -i "s/\b$old\b/$new/g" "$file"
done

step 'modules of the test cluster'
sed -i -E "s/(k8s\.io\/[a-z-]+) v0\.$old_minor\.[0-9]+/\1 v0.$number/; s/(k8s\.io\/kubernetes) v1\.$old_minor\.[0-9]+/\1 $new/" \
    tests/cluster/kubernetes/go.mod
(cd tests/cluster/kubernetes && go mod tidy >&2)

step 'tables of flags, gates and plugins'
if grep -q "\"v1\.$minor\.[0-9]*\"" tests/flags/kubernetes.go; then
    sed -i "s/\"v1\.$minor\.[0-9]*\"/\"$new\"/" tests/flags/kubernetes.go
else
    sed -i "s/\"v1\.$old_minor\.[0-9]*\",/& \"$new\",/" tests/flags/kubernetes.go
fi
(cd tests/flags && go run . ../../src/farm/known/tables >&2)

step 'the types of its objects'
if [ "$minor" != "$old_minor" ]; then
    sed -i "s/\"v1_$old_minor\"/\"v1_$minor\"/" Cargo.toml
    cargo check --quiet --lib || {
        echo "$0: k8s-openapi has no feature v1_$minor yet; v1_$old_minor stays, which knows fewer fields" >&2
        sed -i "s/\"v1_$minor\"/\"v1_$old_minor\"/" Cargo.toml
    }
fi

step 'golden files, values reference, schema'
KUBEFARM_BLESS=1 cargo test --quiet --locked --test it -- golden:: docs:: >&2 ||
    echo "$0: not all of them could be made anew, see above" >&2

step "what kubeadm $new names, and what is rendered"
constants=$(cd tests/cluster/kubernetes && go list -m -f '{{.Dir}}' k8s.io/kubernetes)/cmd/kubeadm/app/constants/constants.go
sed -n -E 's/^\t*(CoreDNSVersion|DefaultEtcdVersion|MinExternalEtcdVersion|PauseVersion) *= *"(.*)"/kubeadm: \1 \2/p' "$constants"
cargo run --quiet --locked -- render -f examples/generic/values.yaml |
    sed -n -E 's/^ *(- )?image: "?(registry\.k8s\.io\/(coredns|etcd)[^"]*).*/rendered: \2/p' | sort -u
git diff --stat
echo 'What is left for a person: docs/kubernetes-version.md'
