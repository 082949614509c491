# shellcheck shell=dash
# Sets a node up at every boot. LTSP sources this from the section [init/] of ltsp.conf: in the node's
# root file system, as process 1, before systemd starts. So it must never call exit, and nothing that
# fails here may stop the boot: `rw` is LTSP's "run, warn on failure". `echo_vars` is LTSP's too: the names
# of all variables that match and are not empty.
#
# Settings come as variables from ltsp.conf: KUBEFARM_*, KUBERNETES_LABELS_*, KUBERNETES_TAINTS_*,
# KUBELET_EXTRA_ARGS_*.

# shellcheck source=/dev/null
. /etc/ltsp/memory.sh

kubefarm_init() {
    rw mkdir -p /etc/systemd/system
    kubefarm_updates
    kubefarm_timezone
    kubefarm_ssh
    kubefarm_root_password
    kubefarm_kernel
    kubefarm_container_runtimes
    kubefarm_guard memory.sh kubefarm_memory
    kubefarm_journal
    kubefarm_syslog
    kubefarm_local_disk
    kubefarm_kubelet
    kubefarm_services
    kubefarm_ltsp_service
    kubefarm_cron
    kubefarm_private_files
    return 0
}

kubefarm_updates() {
    test "$KUBEFARM_DISABLE_AUTOUPDATE" = 1 || return 0
    kubefarm_mask apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service
}

# What `systemctl mask` does, without starting it: each process counts here.
kubefarm_mask() {
    local unit

    for unit in "$@"; do
        rw ln -sf /dev/null "/etc/systemd/system/$unit"
    done
}

kubefarm_timezone() {
    test -n "$KUBEFARM_TIMEZONE" || return 0
    rw ln -sf "/usr/share/zoneinfo/$KUBEFARM_TIMEZONE" /etc/localtime
    printf '%s\n' "$KUBEFARM_TIMEZONE" >/etc/timezone
}

# The image holds no host keys: every node makes its own. One, since an RSA key takes seconds.
kubefarm_ssh() {
    test -f /etc/ssh/ssh_host_ed25519_key ||
        rw ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
    test -f /etc/ltsp/authorized_keys || return 0
    rw mkdir -p -m 0700 /root/.ssh
    kubefarm_copy authorized_keys /root/.ssh/authorized_keys 0600
}

kubefarm_root_password() {
    test "$KUBEFARM_ROOT_LOGIN" = 1 || return 0
    # Where nodes ask for their certificates, the hash comes with it.
    test -z "$KUBEFARM_ROOT_PASSWD" || rw usermod -p "$KUBEFARM_ROOT_PASSWD" root
    # sshd takes the first value it finds, and Debian includes the folder at the top of its file.
    if grep -qs '^Include /etc/ssh/sshd_config\.d/' /etc/ssh/sshd_config; then
        rw mkdir -p /etc/ssh/sshd_config.d
        printf 'PermitRootLogin yes\n' >/etc/ssh/sshd_config.d/00-kubefarm.conf
    else
        rw sed -i 's/^#\{0,1\}PermitRootLogin.*/PermitRootLogin yes/' /etc/ssh/sshd_config
    fi
}

kubefarm_kernel() {
    kubefarm_copy sysctl.conf /etc/sysctl.d/99-kubefarm.conf 0644
    kubefarm_copy modules /etc/modules-load.d/kubefarm.conf 0644
}

kubefarm_container_runtimes() {
    kubefarm_copy containerd.toml /etc/containerd/config.toml 0644
    kubefarm_copy docker.json /etc/docker/daemon.json 0644
}

# The journal is in RAM, whether in /run or in the root, and so is what it keeps for later.
kubefarm_journal() {
    test -n "$KUBEFARM_JOURNAL_MAX_USE" || return 0
    rw mkdir -p /etc/systemd/journald.conf.d
    printf '[Journal]\nSystemMaxUse=%s\nRuntimeMaxUse=%s\n' "$KUBEFARM_JOURNAL_MAX_USE" "$KUBEFARM_JOURNAL_MAX_USE" \
        >/etc/systemd/journald.conf.d/50-kubefarm.conf
}

# For kubefarm-syslog.service. The port is that of RFC 5426 where none is named.
kubefarm_syslog() {
    local server

    server=$KUBEFARM_SYSLOG
    case $server in
    '') return 0 ;;
    *]:* | *[!]]:*[!]]) ;;
    *) server=$server:514 ;;
    esac
    rw mkdir -p /etc/systemd/journald.conf.d /run/kubefarm-node
    printf '[Journal]\nForwardToSyslog=yes\n' >/etc/systemd/journald.conf.d/50-kubefarm-syslog.conf
    printf 'KUBEFARM_SYSLOG=%s\n' "$server" >/run/kubefarm-node/syslog
}

# For kubefarm-disk.service, which has to wait for the disks.
kubefarm_local_disk() {
    test -n "$KUBEFARM_DISK_LABEL$KUBEFARM_DISK_DEVICE$KUBEFARM_DISK_MIN_SIZE$KUBEFARM_DISK_MAX_SIZE" || return 0
    rw mkdir -p /run/kubefarm-node
    {
        kubefarm_assignment label "${KUBEFARM_DISK_LABEL:-kubefarm}"
        kubefarm_assignment pattern "$KUBEFARM_DISK_DEVICE"
        kubefarm_assignment least "$KUBEFARM_DISK_MIN_SIZE"
        kubefarm_assignment most "$KUBEFARM_DISK_MAX_SIZE"
        kubefarm_assignment wipe "$KUBEFARM_DISK_WIPE"
        kubefarm_assignment uses "$KUBEFARM_DISK_USE"
        kubefarm_assignment swap "$KUBEFARM_DISK_SWAP"
    } >/run/kubefarm-node/disk
}

# kubefarm_assignment NAME VALUE: a line that a shell reads back.
kubefarm_assignment() {
    printf "%s='%s'\n" "$1" "$(printf %s "$2" | sed "s/'/'\\\\''/g")"
}

# Labels, taints and flags end in the variable that kubeadm's own drop-in hands to the kubelet. What follows from the
# machine's size is in a file, which is put together before each start, when kubeadm has fetched the cluster's own.
kubefarm_kubelet() {
    local labels taints flags

    labels=$(kubefarm_values KUBERNETES_LABELS | paste -s -d, -)
    taints=$(kubefarm_values KUBERNETES_TAINTS | paste -s -d, -)
    flags=$(kubefarm_values KUBELET_EXTRA_ARGS | paste -s -d' ' -)
    flags="${labels:+--node-labels=$labels }${taints:+--register-with-taints=$taints }$flags"
    flags="--config-dir=/run/kubefarm-node/kubelet.conf.d $flags"
    # Inside quotes systemd reads \ and " as C does, and % as the start of a specifier.
    flags=$(printf '%s\n' "$flags" | sed -e 's/[\\"]/\\&/g' -e 's/%/%%/g')
    # Without the folder the kubelet would not start.
    rw mkdir -p /etc/systemd/system/kubelet.service.d /run/kubefarm-node/kubelet.conf.d
    printf '[Service]\nExecStartPre=-/bin/sh /etc/ltsp/kubelet-settings.sh\nEnvironment="KUBELET_EXTRA_ARGS=%s"\n' "$flags" \
        >/etc/systemd/system/kubelet.service.d/99-kubefarm.conf
}

# kubefarm_values PREFIX: the values of all variables PREFIX_*, each once. The one of the tag `all` comes first,
# since of two labels with one key kubelet takes the last. LTSP's echo_values would read their backslashes, and
# echo_vars finds names in the lines of other variables' values, too.
kubefarm_values() {
    local variable value

    for variable in "$1_ALL" $(echo_vars "$1_[[:alnum:]_]*" "$1_ALL" | sort -u); do
        eval "value=\$$variable"
        test -z "$value" || printf '%s\n' "$value"
    done
}

# Every unit among the files is installed and started with the system.
kubefarm_services() {
    local unit units

    units=''
    for unit in /etc/ltsp/*.service; do
        test ! -f "$unit" || units="$units ${unit##*/}"
    done
    test -n "$units" || return 0
    rw cp -f /etc/ltsp/*.service /etc/systemd/system/
    # shellcheck disable=SC2086 # one word a unit
    rw systemctl enable --quiet --root=/ --no-reload $units
}

# LTSP's own unit evaluates everything anew, for nothing that a server needs; only PRE_SERVICE_* and POST_SERVICE_*
# of the user's are reasons to run it.
kubefarm_ltsp_service() {
    case $(set) in
    *PRE_SERVICE_* | *POST_SERVICE_*) ;;
    *) kubefarm_mask ltsp.service ;;
    esac
}

# LTSP starts a program for each file of cron's that it takes away: eighteen, for nothing where there is no cron.
kubefarm_cron() {
    command -v crontab >/dev/null || command -v anacron >/dev/null || OMIT_FUNCTIONS="$OMIT_FUNCTIONS cron_main"
}

# These may hold the root password's hash and a join token.
kubefarm_private_files() {
    local file

    for file in ltsp.conf kubeadm-join.conf; do
        test ! -f "/etc/ltsp/$file" || rw chmod 0600 "/etc/ltsp/$file"
    done
}

# kubefarm_copy NAME TARGET MODE: copies a file of /etc/ltsp, if it is there.
kubefarm_copy() {
    test -f "/etc/ltsp/$1" || return 0
    rw mkdir -p "${2%/*}"
    rw cp -f "/etc/ltsp/$1" "$2"
    rw chmod "$3" "$2"
}

kubefarm_init
