//! Every certificate that a control plane needs: its issuer, subject, usages and names.
//!
//! Source: kubernetes.io/docs/setup/best-practices/certificates, and kubeadm's own list.

mod certificate;
mod hours;
mod sans;

use indexmap::IndexMap;
use serde::Serialize;

pub use certificate::{Certificate, PrivateKey, RotationPolicy};
pub use hours::Hours;
use sans::Sans;

use super::names::{Names, Release};
use super::spec::{JoinMode, KeyKind, KonnectivityMode, PkiMode, Values};
use super::subnets::Subnets;

/// A CA's life: ten years. It is renewed with the same key, a year before its end.
const CA_LIFE: (Hours, Hours) = (Hours(87_600), Hours(8_760));
/// A certificate's life: a year. It is reissued when a third of it is left.
const LEAF_LIFE: (Hours, Hours) = (Hours(8_760), Hours(2_920));

/// The short names of the authorities that every control plane has, whatever its values; `sa` signs tokens.
pub const AUTHORITIES: [&str; 3] = ["ca", "front-proxy-ca", "sa"];

/// The API server's certificate as a client of etcd, which the user supplies for an etcd outside the farm.
const ETCD_CLIENT: &str = "apiserver-etcd-client";

/// The key that signs the configuration of nodes.
pub const CONFIGURATION: &str = "configuration";

/// The farm's agent, as a user of the child cluster.
const AGENT_USER: &str = "kubefarm:agent";

/// Marks a Secret that holds a certificate authority, with the value `true`.
pub const AUTHORITY: &str = "kubefarm.io/certificate-authority";

/// All issuers and certificates.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pki {
    pub mode: PkiMode,
    /// The prefix of the Secrets' names.
    pub prefix: String,
    /// The common name of the only client that the API server trusts to say which user makes a request.
    pub front_proxy_client: String,
    /// The common name of the API server as a client of kubelets.
    pub kubelet_client: String,
    /// The farm's agent, as a user of the child cluster.
    pub agent_user: &'static str,
    pub issuers: Vec<Issuer>,
    pub certificates: Vec<Certificate>,
    /// The names of the Secrets, by the names that templates use: those of the certificates without the prefix.
    pub secrets: IndexMap<String, String>,
}

/// An issuer: a CA's Secret, or self-signing.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Issuer {
    pub name: String,
    pub secret_name: Option<String>,
}

impl Pki {
    /// All issuers and certificates of a release.
    pub fn new(
        values: &Values,
        names: &Names,
        release: &Release,
        services: &Subnets,
        key_kind: KeyKind,
    ) -> Pki {
        let mut builder = Builder {
            values,
            key_kind,
            names,
            namespace: &release.namespace,
            pki: Pki {
                mode: values.pki.mode,
                prefix: format!("{}-pki", names.kubernetes),
                issuers: vec![Issuer {
                    name: format!("{}-selfsigning-issuer", names.kubernetes),
                    secret_name: None,
                }],
                certificates: Vec::new(),
                front_proxy_client: String::new(),
                kubelet_client: String::new(),
                agent_user: AGENT_USER,
                secrets: IndexMap::new(),
            },
        };
        // An etcd outside the farm has an authority of its own, and client certificates from that.
        if values.kubernetes.etcd.enabled {
            builder.etcd();
        }
        builder.cluster(services);
        builder.front_proxy();
        if values.kubernetes.konnectivity_server.enabled {
            builder.konnectivity();
        }
        if values.ltsp.enabled {
            builder.configuration();
        }
        let mut pki = builder.pki;
        pki.front_proxy_client = pki.common_name("front-proxy-client");
        pki.kubelet_client = pki.common_name("apiserver-kubelet-client");
        pki.secrets = pki.secrets();
        for certificate in &mut pki.certificates {
            certificate.annotations = certificate.annotations();
        }
        pki
    }

    fn secrets(&self) -> IndexMap<String, String> {
        // An etcd outside the farm needs a certificate that the user supplies.
        let external = format!("{}-{ETCD_CLIENT}", self.prefix);
        let own = self.certificates.iter();
        let own = own.map(|one| (one.short.clone(), one.secret_name.clone()));
        std::iter::once((ETCD_CLIENT.to_owned(), external))
            .chain(own)
            .collect()
    }

    fn common_name(&self, short: &str) -> String {
        let mut certificates = self.certificates.iter();
        let found = certificates.find(|certificate| certificate.short == short);
        found
            .map(|certificate| certificate.common_name.clone())
            .unwrap_or_default()
    }

    /// The certificate authority that signs a certificate; `None` if it is self-signed.
    pub fn authority_of(&self, certificate: &Certificate) -> Option<&Certificate> {
        let issuer = self
            .issuers
            .iter()
            .find(|issuer| issuer.name == certificate.issuer)?;
        let secret = issuer.secret_name.as_ref()?;
        self.certificates
            .iter()
            .find(|authority| authority.secret_name == *secret)
    }
}

struct Builder<'a> {
    values: &'a Values,
    key_kind: KeyKind,
    names: &'a Names,
    namespace: &'a str,
    pki: Pki,
}

const SERVER: &[&str] = &["digital signature", "key encipherment", "server auth"];
const CLIENT: &[&str] = &["digital signature", "key encipherment", "client auth"];
const PEER: &[&str] = &[
    "digital signature",
    "key encipherment",
    "server auth",
    "client auth",
];
const SIGNATURES: &[&str] = &["digital signature"];
const SIGNING: &[&str] = &["digital signature", "cert sign", "crl sign"];

impl Builder<'_> {
    fn etcd(&mut self) {
        let etcd = &self.values.kubernetes.etcd;
        let service = format!("{}-etcd", self.names.kubernetes);
        let mut peer = Sans::of_service(&service, self.namespace);
        for pods in [
            format!("*.{service}"),
            format!("*.{service}.{}", self.namespace),
            format!("*.{service}.{}.svc", self.namespace),
        ] {
            peer.add(&pods);
        }
        // And each by its name, for programs that do not support wildcards.
        for member in (0..etcd.replica_count.unwrap_or_default())
            .map(|number| format!("{service}-{number}.{service}"))
        {
            peer.add(&member);
            peer.add(&format!("{member}.{}", self.namespace));
            peer.add(&format!("{member}.{}.svc", self.namespace));
        }
        let mut server = peer.clone();
        server.add_all(&etcd.cert_sans.dns_names);
        server.add_all(&etcd.service.load_balancer_ip);
        server.add_all(&etcd.cert_sans.ip_addresses);

        let issuer = self.authority("etcd-ca", "etcd-issuer");
        self.leaf("etcd-peer", &issuer, PEER, peer);
        self.leaf("etcd-server", &issuer, PEER, server);
        self.leaf("etcd-healthcheck-client", &issuer, CLIENT, Sans::default());
        self.leaf(ETCD_CLIENT, &issuer, CLIENT, Sans::default());
    }

    fn cluster(&mut self, services: &Subnets) {
        let issuer = self.authority("ca", "issuer");
        // Only its key is used, for service-account tokens; the certificate is the key's public half.
        self.certificate("sa", "selfsigning-issuer", SIGNING, CA_LIFE, true);

        let server = self.api_server_sans(services);
        self.leaf("apiserver-server", &issuer, SERVER, server);
        // No group: a ClusterRoleBinding gives this user its rights on the kubelets, as with kubeadm.
        self.client("apiserver-kubelet-client", &issuer, None, &[]);
        for component in ["controller-manager", "scheduler"] {
            let service = format!("{}-{component}", self.names.kubernetes);
            let sans = Sans::of_service(&service, self.namespace);
            self.leaf(&format!("{component}-server"), &issuer, SERVER, sans);
            let user = format!("system:kube-{component}");
            self.client(&format!("{component}-client"), &issuer, Some(user), &[]);
        }
        self.client("admin-client", &issuer, None, &["system:masters"]);
        if self.values.kubernetes.agent.enabled {
            self.client("agent-client", &issuer, Some(AGENT_USER.to_owned()), &[]);
        }
        if self.values.join_mode() == JoinMode::Service {
            let agent = format!("{}-agent", self.names.kubernetes);
            let mut sans = Sans::of_service(&agent, self.namespace);
            sans.add_all(&self.values.kubernetes.agent.service.load_balancer_ip);
            self.leaf("agent-server", &issuer, SERVER, sans);
        }
    }

    fn api_server_sans(&self, services: &Subnets) -> Sans {
        let kubernetes = &self.values.kubernetes;
        let server = &kubernetes.api_server;
        let service = format!("{}-apiserver", self.names.kubernetes);
        let mut sans = Sans::of_service(&service, self.namespace);
        for name in ["kubernetes", "kubernetes.default", "kubernetes.default.svc"] {
            sans.add(name);
        }
        sans.add(&format!(
            "kubernetes.default.svc.{}",
            kubernetes.networking.dns_domain
        ));
        for address in services.api_addresses() {
            sans.add(&address.to_string());
        }
        if let Some(endpoint) = &kubernetes.control_plane_endpoint {
            sans.add(&endpoint.read().host);
        }
        if let Some(serde_json::Value::String(address)) = server.extra_args.get("advertise-address")
        {
            sans.add(address);
        }
        sans.add_all(&server.service.load_balancer_ip);
        sans.add_all(&server.cert_sans.dns_names);
        sans.add_all(&server.cert_sans.ip_addresses);
        sans
    }

    fn front_proxy(&mut self) {
        let issuer = self.authority("front-proxy-ca", "front-proxy-issuer");
        self.leaf("front-proxy-client", &issuer, CLIENT, Sans::default());
    }

    fn konnectivity(&mut self) {
        let cluster = format!("{}-issuer", self.names.kubernetes);
        let user = "system:konnectivity-server".to_owned();
        self.client("konnectivity-server-client", &cluster, Some(user), &[]);
        let server = &self.values.kubernetes.konnectivity_server;
        if server.mode == KonnectivityMode::HttpConnect {
            let service = format!("{}-konnectivity-server", self.names.kubernetes);
            let sans = Sans::of_service(&service, self.namespace);
            let mut for_agents = sans.clone();
            for_agents.add_all(&server.service.load_balancer_ip);
            // An agent may connect to any address of the API server.
            for_agents.add_all(&self.values.kubernetes.api_server.cert_sans.dns_names);
            for_agents.add_all(&self.values.kubernetes.api_server.cert_sans.ip_addresses);

            let issuer = self.authority("konnectivity-ca", "konnectivity-issuer");
            self.leaf("konnectivity-server", &issuer, SERVER, sans);
            self.leaf("konnectivity-client", &issuer, CLIENT, Sans::default());
            self.leaf("konnectivity-cluster", &cluster, SERVER, for_agents);
        }
    }

    /// Only its key is used, which machines know by its public half: so it stays as long as a CA's. It is where the boot
    /// server is, and no authority of the farm is there to sign it.
    fn configuration(&mut self) {
        let name = format!("{}-pki-{CONFIGURATION}", self.names.ltsp);
        let issuer = format!("{}-selfsigning-issuer", self.names.ltsp);
        let certificate = self.certificate(CONFIGURATION, "", SIGNATURES, CA_LIFE, false);
        certificate.secret_name = name.clone();
        certificate.name = name;
        certificate.issuer = issuer;
        certificate.boots = true;
        certificate.private_key = PrivateKey {
            kind: KeyKind::Ed25519,
            rotation_policy: RotationPolicy::Never,
        };
    }

    /// Adds a CA and the issuer that signs with it; returns the issuer's name.
    fn authority(&mut self, name: &str, issuer: &str) -> String {
        let certificate = self.certificate(name, "selfsigning-issuer", SIGNING, CA_LIFE, true);
        let secret_name = Some(certificate.secret_name.clone());
        let issuer = format!("{}-{issuer}", self.names.kubernetes);
        self.pki.issuers.push(Issuer {
            name: issuer.clone(),
            secret_name,
        });
        issuer
    }

    fn leaf(&mut self, name: &str, issuer: &str, usages: &'static [&'static str], sans: Sans) {
        let issuer = issuer.to_owned();
        let certificate = self.certificate(name, "", usages, LEAF_LIFE, false);
        certificate.issuer = issuer;
        certificate.dns_names = (!sans.dns.is_empty()).then_some(sans.dns);
        certificate.ip_addresses = (!sans.ips.is_empty()).then_some(sans.ips);
    }

    fn client(&mut self, name: &str, issuer: &str, user: Option<String>, groups: &[&'static str]) {
        let issuer = issuer.to_owned();
        let certificate = self.certificate(name, "", CLIENT, LEAF_LIFE, false);
        certificate.issuer = issuer;
        if let Some(user) = user {
            certificate.common_name = user;
        }
        certificate.organizations = (!groups.is_empty()).then(|| groups.to_vec());
    }

    fn certificate(
        &mut self,
        name: &str,
        issuer: &str,
        usages: &'static [&'static str],
        (duration, renew_before): (Hours, Hours),
        is_ca: bool,
    ) -> &mut Certificate {
        let object = format!("{}-{name}", self.pki.prefix);
        self.pki.certificates.push(Certificate {
            short: name.to_owned(),
            secret_name: object.clone(),
            name: object,
            issuer: format!("{}-{issuer}", self.names.kubernetes),
            boots: false,
            is_ca,
            common_name: format!("{}-{name}", self.names.certificates),
            organizations: None,
            usages: usages.to_vec(),
            dns_names: None,
            ip_addresses: None,
            duration,
            renew_before,
            annotations: IndexMap::new(),
            private_key: PrivateKey {
                kind: self.key_kind,
                rotation_policy: if is_ca {
                    RotationPolicy::Never
                } else {
                    RotationPolicy::Always
                },
            },
        });
        let last = self.pki.certificates.len() - 1;
        #[allow(clippy::indexing_slicing, reason = "it was pushed just now")]
        &mut self.pki.certificates[last]
    }
}
