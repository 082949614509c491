//! Certificates with the programs that use them: OpenSSL, kubeadm, etcd, kube-apiserver, kubectl, cert-manager.

mod authentication;
mod backup;
mod cert_manager;
mod certificate;
mod child;
mod clock;
mod etcd;
mod folder;
mod import;
mod in_cluster;
mod killed;
mod kubeadm;
mod kubeconfig;
mod kubeconfig_file;
mod openssl;
mod outage;
mod rolling;
mod rotation;
mod secrecy;

/// A control plane that is ready wherever there are no nodes: without pods.
const FARM: &str = "--set kubernetes.etcd.replicaCount=0,\
                    kubernetes.apiServer.replicaCount=0,kubernetes.apiServer.service.type=ClusterIP,\
                    kubernetes.controllerManager.replicaCount=0,kubernetes.scheduler.replicaCount=0,\
                    kubernetes.admin.replicaCount=0,kubernetes.admin.job.enabled=false,\
                    kubernetes.agent.replicaCount=0,kubernetes.agent.service.type=ClusterIP,\
                    ltsp.enabled=false,ltsp.publishDHCP=false";
