# shellcheck shell=sh
exec kube-scheduler \
    --authentication-kubeconfig=/etc/kubernetes/scheduler.conf \
    --authorization-kubeconfig=/etc/kubernetes/scheduler.conf \
    --kubeconfig=/etc/kubernetes/scheduler.conf \
    --leader-elect=false
