# shellcheck shell=sh
# For scripts that run something in a root file system of their own; they source this.

# make_root: in the current folder, with this machine's programs, which it can only read, and its devices.
make_root() {
    mkdir -p usr proc sys dev tmp
    mount --rbind /usr usr
    mount -o remount,ro,bind usr
    for folder in bin sbin lib lib64; do
        test -e "$folder" || ln -s "usr/$folder" "$folder"
    done
    mount -t proc none proc
    mount --rbind /dev dev
}
