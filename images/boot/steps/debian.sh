# How the build's root file systems come from Debian's archive. Sourced by the steps.
# shellcheck shell=sh disable=SC2154 # settings of build.sh

# packages LIST: the names in a file of lists/, in one line.
packages() {
    sed 's/#.*//' "$here/lists/$1" | tr -s ' \n' ' '
}

# sources: the archive in one-line style.
sources() {
    options=${APT_OPTIONS:+"[$APT_OPTIONS] "}
    echo "deb $options$MIRROR $SUITE $COMPONENTS"
    echo "deb $options$MIRROR $SUITE-updates $COMPONENTS"
    echo "deb $options$SECURITY_MIRROR $SUITE-security $COMPONENTS"
}

# runtime_sources: the same with the suite that containerd and runc come from.
runtime_sources() {
    sources
    test "$RUNTIME_SUITE" = "$SUITE" || echo "deb $options$MIRROR $RUNTIME_SUITE main"
}

# debian OUTPUT PACKAGES [OPTION OF MMDEBSTRAP...]: a root file system without pages for people to read, from the sources
# on standard input. OUTPUT is a tar archive or a folder, by its name.
debian() {
    target=$1 include=$2
    shift 2
    mmdebstrap --mode=root --variant=minbase --components="$COMPONENTS" \
        --aptopt='APT::Install-Recommends "false"' \
        --aptopt='Acquire::Languages "none"' \
        --aptopt='Acquire::Retries "5"' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/info/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --include="$(echo "$include" | tr -s ' ' '\n' | sed '/^$/d' | paste -s -d, -)" \
        "$@" "$SUITE" "$target" -
}
