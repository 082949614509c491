//! Certificates with the programs that use them: OpenSSL, kubeadm, etcd, kube-apiserver, kubectl, cert-manager.

mod support;

#[path = "pki/authentication.rs"]
mod authentication;
#[path = "pki/cert_manager.rs"]
mod cert_manager;
#[path = "pki/certificate.rs"]
mod certificate;
#[path = "pki/child.rs"]
mod child;
#[path = "pki/clock.rs"]
mod clock;
#[path = "pki/folder.rs"]
mod folder;
#[path = "pki/in_cluster.rs"]
mod in_cluster;
#[path = "pki/killed.rs"]
mod killed;
#[path = "pki/kubeadm.rs"]
mod kubeadm;
#[path = "pki/kubeconfig.rs"]
mod kubeconfig;
#[path = "pki/kubeconfig_file.rs"]
mod kubeconfig_file;
#[path = "pki/openssl.rs"]
mod openssl;
#[path = "pki/outage.rs"]
mod outage;
#[path = "pki/rolling.rs"]
mod rolling;
#[path = "pki/rotation.rs"]
mod rotation;
#[path = "apply_faults/running.rs"]
#[allow(dead_code, reason = "what the tests of faults alone use")]
mod running;
#[path = "pki/secrecy.rs"]
mod secrecy;
#[path = "apply/site.rs"]
#[allow(dead_code, reason = "what the tests of apply alone use")]
mod site;

/// A control plane that is ready wherever there are no nodes: without pods.
const FARM: &str = "--set kubernetes.etcd.replicaCount=0,\
                    kubernetes.apiServer.replicaCount=0,kubernetes.apiServer.service.type=ClusterIP,\
                    kubernetes.controllerManager.replicaCount=0,kubernetes.scheduler.replicaCount=0,\
                    kubernetes.admin.replicaCount=0,kubernetes.admin.job.enabled=false,\
                    tokenGenerator.enabled=false,ltsp.enabled=false,ltsp.publishDHCP=false";
