# shellcheck shell=dash
# RAM is this machine's disk: how much of it the system, the images, the pods' files and the logs may take, and what the
# kubelet keeps free. init.sh sources this, as process 1; all amounts are MiB.
#
# First comes what programs need and what is there already: the system image, and what kubeReserved and systemReserved
# keep for kubelet, containerd and the rest. What is left besides the kubelet's threshold is divided among the file
# systems, so that all of them full at once leave the machine its programs. What pods take of the same RAM is the
# kubelet's to watch: it evicts them below the threshold.

kubefarm_memory() {
    local total image kube_reserved system_reserved cpu_reserved threshold rest containerd_size kubelet_size overlay_size \
        logs_size temporary_size journal_size log_size

    test "$KUBEFARM_MEMORY" = 1 || return 0
    total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
    # What the initrd loaded, in a file system of its own that may take nearly everything: nothing more comes into it.
    image=$(kubefarm_used /run/kubefarm)
    test "$image" -eq 0 || rw mount -o "remount,size=$((image + 1))m" /run/kubefarm
    kubefarm_plan $((total / 1024)) "$image" "$(nproc)"
    kubefarm_limit_overlay
    kubefarm_limit FSTAB_KUBELET "$kubelet_size"
    kubefarm_limit FSTAB_CONTAINERD "$containerd_size"
    kubefarm_tmpfs FSTAB_KUBEFARM_LOGS /var/log/pods "mode=0755,size=${logs_size}m"
    kubefarm_tmpfs FSTAB_KUBEFARM_TMP /tmp "mode=1777,nosuid,nodev,size=${temporary_size}m"
    kubefarm_tmpfs FSTAB_KUBEFARM_SHM /dev/shm "mode=1777,nosuid,nodev,size=${temporary_size}m"
    KUBEFARM_JOURNAL_MAX_USE=${KUBEFARM_JOURNAL_MAX_USE:-${journal_size}M}
    kubefarm_kubelet_parts
}

# kubefarm_used FOLDER: how much the file system that is mounted there has in it; 0 where none is.
kubefarm_used() {
    local kib

    kib=0
    ! mountpoint -q "$1" || kib=$(df -k --output=used "$1" | tail -n 1)
    echo $(((kib + 1023) / 1024))
}

# kubefarm_plan TOTAL IMAGE PROCESSORS: sets what each gets.
kubefarm_plan() {
    # kubelet and containerd grow with the number of pods, and the kernel and the system's services a little.
    kube_reserved=$(kubefarm_between 128 $((128 + $1 / 50)) 2048)
    system_reserved=$(($2 + $(kubefarm_between 96 $((96 + $1 / 100)) 1024)))
    cpu_reserved=$(kubefarm_between 50 $((50 + $3 * 5)) 1000)
    threshold=$(kubefarm_between 100 $(($1 / 50)) 1024)
    rest=$(($1 - kube_reserved - system_reserved - threshold))
    # Too small a machine for a node; it should boot far enough to say so.
    test "$rest" -ge $(($1 / 4)) || rest=$(($1 / 4))
    containerd_size=$((rest * 45 / 100))
    # A tenth more is for the kubelet alone (kubelet-room.sh).
    kubelet_size=$((rest * 27 / 100))
    overlay_size=$((rest * 10 / 100))
    logs_size=$((rest * 5 / 100))
    # Each of two.
    temporary_size=$((rest * 5 / 100))
    journal_size=$(kubefarm_between 16 $((overlay_size / 8)) 512)
    # In Mi; of five files, for ten containers at least.
    log_size=$(kubefarm_between 1 $((logs_size / 50)) 10)
}

# kubefarm_between LEAST NUMBER MOST
kubefarm_between() {
    if [ "$2" -lt "$1" ]; then
        echo "$1"
    elif [ "$2" -gt "$3" ]; then
        echo "$3"
    else
        echo "$2"
    fi
}

# What the system writes into its root.
kubefarm_limit_overlay() {
    local folder used

    folder=/run/initramfs/ltsp
    mountpoint -q "$folder" || return 0
    used=$(kubefarm_used "$folder")
    test "$overlay_size" -ge $((used + 64)) || overlay_size=$((used + 64))
    rw mount -o "remount,size=${overlay_size}m" "$folder"
}

# kubefarm_limit VARIABLE SIZE: a line of fstab for a tmpfs gets a size, unless it has one. It is no tmpfs where the
# values chose something else.
kubefarm_limit() {
    local line

    eval "line=\$$1"
    case " $line " in
    *size=* | *nr_blocks=*) return 0 ;;
    *' tmpfs '*) ;;
    *) return 0 ;;
    esac
    line=$(printf '%s\n' "$line" | sed -E "s/^( *[^ ]+ +[^ ]+ +tmpfs +[^ ]+)/\\1,size=$2m/")
    eval "$1=\$line"
}

# kubefarm_tmpfs VARIABLE FOLDER OPTIONS: one more line of fstab, unless the values have a line for this folder.
kubefarm_tmpfs() {
    ! kubefarm_values FSTAB | grep -qE "^ *[^ ]+ +$2/? " || return 0
    eval "$1=\"tmpfs \$2 tmpfs \$3 0 0\""
}

# What kubelet-settings.sh puts together once the cluster's own configuration is there: a file for each key.
kubefarm_kubelet_parts() {
    local parts

    parts=/run/kubefarm-node/kubelet
    rw mkdir -p "$parts"
    printf 'kubeReserved:\n  cpu: %sm\n  memory: %sMi\n' "$cpu_reserved" "$kube_reserved" >"$parts/kubeReserved"
    printf 'systemReserved:\n  memory: %sMi\n' "$system_reserved" >"$parts/systemReserved"
    # Where one threshold is set, the others have no default (KubeletConfiguration, evictionHard).
    cat >"$parts/evictionHard" <<END
evictionHard:
  memory.available: ${threshold}Mi
  nodefs.available: 10%
  nodefs.inodesFree: 5%
  imagefs.available: 15%
  imagefs.inodesFree: 5%
END
    test "$log_size" -eq 10 || printf 'containerLogMaxSize: %sMi\n' "$log_size" >"$parts/containerLogMaxSize"
}
