#!/bin/sh
# Builds what a release has for one target: an archive with the program, its man pages and completions, and an SBOM.
#
# Usage: build.sh TARGET [FOLDER]    prints the archive; FOLDER is `dist` unless it is named
#
# TARGET is one of rustc's, x86_64-unknown-linux-musl or aarch64-unknown-linux-musl for programs that need no libraries.
# This computer has to be able to run what it builds: the program itself writes the pages. It needs cargo, strip, tar,
# and cargo-cyclonedx for the SBOM. The same commit and the same Rust give the same bytes.
set -eu
umask 022
case $# in
    1 | 2) ;;
    *)
        sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
esac
cd "$(dirname "$0")/.."
target=$1 folder=${2:-dist}
command -v cargo-cyclonedx >/dev/null || {
    echo "$0: needs cargo-cyclonedx: cargo install cargo-cyclonedx --locked" >&2
    exit 1
}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
name=kubefarm-$version-$target

# Paths of this computer are not written into the program.
RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo" \
    cargo build --release --locked --bin kubefarm --target "$target" >&2
built=${CARGO_TARGET_DIR:-target}/$target/release/kubefarm

mkdir -p "$folder"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
root=$work/$name
mkdir -p "$root/completions" "$root/man"
strip -o "$root/kubefarm" "$built"
cp README.md CHANGELOG.md LICENSE "$root"
"$root/kubefarm" man --output-dir "$root/man" >&2
for shell in bash zsh fish; do
    "$root/kubefarm" completions "$shell" >"$root/completions/kubefarm.$shell"
done
tar -C "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -cf - "$name" |
    gzip -9n >"$folder/$name.tar.gz"

cargo cyclonedx --format json --target "$target" --spec-version 1.5 --override-filename "$name.cdx" >&2
mv "$name.cdx.json" "$folder/"
echo "$folder/$name.tar.gz"
