//! A control plane that is made up.

use serde_json::{Map, Value as Json, json};

use crate::cluster::guard::control_plane::ControlPlane;
use crate::cluster::guard::rules::Claim;
use crate::manifest::Key;

/// What a farm is, as far as its rules ask. The default is one that runs well.
#[derive(Clone)]
pub struct Plan {
    pub name: &'static str,
    pub members: usize,
    pub ports: (u16, u16),
    /// The size of its volumes, where it has some.
    pub volumes: Option<&'static str>,
    pub etcd: &'static str,
    pub server: &'static str,
    pub scheduler: &'static str,
    pub services: &'static str,
    pub pods: &'static str,
    pub issuers: &'static [&'static str],
    pub secret: &'static str,
    /// The path of the configuration of encryption at rest, where there is one.
    pub encryption: Option<&'static str>,
    pub is_rolled_out: bool,
    pub has_etcd: bool,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan {
            name: "farm",
            members: 3,
            ports: (2379, 2380),
            volumes: Some("8Gi"),
            etcd: "3.6.16-0",
            server: "v1.36.4",
            scheduler: "v1.36.4",
            services: "10.96.0.0/12",
            pods: "10.112.0.0/12",
            issuers: &["https://kubernetes.default.svc.cluster.local"],
            secret: "farm-pki-apiserver",
            encryption: None,
            is_rolled_out: true,
            has_etcd: true,
        }
    }
}

/// A workload whose one container has the name of its component.
fn workload(kind: &str, name: &str, image: &str, flags: &[String], plan: &Plan) -> (Key, Json) {
    let key = Key {
        group: "apps".to_owned(),
        kind: kind.to_owned(),
        namespace: "farms".to_owned(),
        name: name.to_owned(),
    };
    let (component, _) = image.split_once(':').expect("an image");
    let object = json!({
        "metadata": {
            "generation": 2,
            "labels": { "app.kubernetes.io/part-of": "kubefarm", "app.kubernetes.io/name": component },
        },
        "spec": { "template": { "spec": {
            "containers": [{ "name": component, "image": format!("registry.k8s.io/{image}"), "command": flags }],
            "volumes": [{ "name": "pki-server", "secret": { "secretName": plan.secret } }],
        } } },
        "status": {
            "observedGeneration": 2,
            "replicas": 2,
            "updatedReplicas": if plan.is_rolled_out { 2 } else { 1 },
        },
    });
    (key, object)
}

impl Plan {
    fn etcd(&self) -> (Key, Json) {
        let name = format!("{}-etcd", self.name);
        let (client, peer) = self.ports;
        let members: Vec<String> = (0..self.members)
            .map(|member| format!("{name}-{member}=https://{name}-{member}:{peer}"))
            .collect();
        let flags = [
            format!("--initial-cluster={}", members.join(",")),
            format!("--initial-advertise-peer-urls=https://$(POD_NAME):{peer}"),
            format!("--advertise-client-urls=https://$(POD_NAME):{client}"),
        ];
        let image = format!("etcd:{}", self.etcd);
        let (key, mut object) = workload("StatefulSet", &name, &image, &flags, self);
        if let Some(size) = self.volumes {
            object["spec"]["volumeClaimTemplates"] = json!([{
                "metadata": { "name": "etcd-data" },
                "spec": { "resources": { "requests": { "storage": size } } },
            }]);
        }
        (key, object)
    }

    pub fn objects(&self) -> Vec<(Key, Map<String, Json>)> {
        let issuers = self.issuers.iter();
        let mut flags: Vec<String> = issuers
            .map(|issuer| format!("--service-account-issuer={issuer}"))
            .collect();
        flags.push(format!("--service-cluster-ip-range={}", self.services));
        let encryption = self.encryption.iter();
        flags.extend(encryption.map(|path| format!("--encryption-provider-config={path}")));
        let of = |component: &str, version: &str, flags: &[String]| {
            let name = format!("{}-{component}", self.name);
            let image = format!("kube-{component}:{version}");
            workload("Deployment", &name, &image, flags, self)
        };
        let pods = [format!("--cluster-cidr={}", self.pods)];
        let mut all = vec![
            of("apiserver", self.server, &flags),
            of("controller-manager", self.server, &pods),
            of("scheduler", self.scheduler, &[]),
        ];
        all.extend(self.has_etcd.then(|| self.etcd()));
        all.into_iter()
            .filter_map(|(key, object)| match object {
                Json::Object(object) => Some((key, object)),
                _ => None,
            })
            .collect()
    }

    pub fn control_plane(&self) -> ControlPlane {
        let objects = self.objects();
        ControlPlane::rendered(objects.iter().map(|(key, object)| (key, object)))
    }

    pub fn claims(&self) -> Vec<Claim> {
        let size = self.volumes.unwrap_or_default().to_owned();
        let claims = (0..self.members).map(|member| Claim {
            name: format!("etcd-data-{}-etcd-{member}", self.name),
            size: size.clone(),
            set: format!("{}-etcd", self.name),
        });
        claims.collect()
    }
}
