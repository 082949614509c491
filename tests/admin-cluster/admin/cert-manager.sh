# shellcheck shell=sh
exec cert-manager --kubeconfig=/etc/kubernetes/super-admin.conf
