//! The cluster's certificate authority, and kubeconfigs of who may or may not come in.

use std::fs::{read, write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::run;

/// A folder with `ca.crt` and `ca.key`, and what they signed.
#[derive(Debug)]
pub struct Identities {
    folder: PathBuf,
    server: String,
}

impl Identities {
    /// Makes a certificate authority, the certificate of an API server (`server.crt`, `server.key`) for an IP
    /// address and for names, and the keys that sign and verify tokens of service accounts (`accounts.key`, `accounts.pub`).
    pub fn new(folder: &Path, server: String, address: Ipv4Addr, names: &[String]) -> Identities {
        let made = Identities {
            folder: folder.to_owned(),
            server,
        };
        made.key("ca");
        made.openssl("req -x509 -new -key ca.key -out ca.crt -days 7 -subj /CN=kubefarm-test-ca");
        made.key("accounts");
        made.openssl("pkey -in accounts.key -pubout -out accounts.pub");
        let names: String = names.iter().map(|name| format!(",DNS:{name}")).collect();
        let extensions = format!(
            "extendedKeyUsage=serverAuth\nsubjectAltName=IP:{address},DNS:localhost{names}\n"
        );
        made.sign("server", "/CN=kube-apiserver", 7, &extensions);
        made
    }

    /// The URL in every kubeconfig.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The path of a file in the folder.
    pub fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// A kubeconfig with a client certificate for a user in groups, that ends after `days`; with -1 it ended
    /// yesterday.
    pub fn with_certificate(&self, name: &str, groups: &[&str], days: i32) -> PathBuf {
        let file = format!("{}-{days}", name.replace(':', "-"));
        let organizations: String = groups.iter().map(|group| format!("/O={group}")).collect();
        let subject = format!("{organizations}/CN={name}");
        self.sign(&file, &subject, days, "extendedKeyUsage=clientAuth\n");
        let user = json!({
            "client-certificate-data": self.encoded(&format!("{file}.crt")),
            "client-key-data": self.encoded(&format!("{file}.key")),
        });
        self.kubeconfig(&file, &user)
    }

    /// The certificate of a server with a name, and its key.
    pub fn of_server(&self, name: &str) -> [PathBuf; 2] {
        let extensions = format!("extendedKeyUsage=serverAuth\nsubjectAltName=DNS:{name}\n");
        self.sign(name, &format!("/CN={name}"), 7, &extensions);
        ["crt", "key"].map(|kind| self.folder.join(format!("{name}.{kind}")))
    }

    /// A kubeconfig with a bearer token.
    pub fn with_token(&self, token: &str) -> PathBuf {
        self.kubeconfig(&format!("token-{token}"), &json!({ "token": token }))
    }

    fn kubeconfig(&self, file: &str, user: &Value) -> PathBuf {
        let content = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "test",
                "cluster": {
                    "server": self.server,
                    "certificate-authority-data": self.encoded("ca.crt"),
                },
            }],
            "users": [{ "name": file, "user": user }],
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": file } }],
            "current-context": "test",
        });
        let path = self.folder.join(format!("{file}.kubeconfig"));
        let text = serde_yaml::to_string(&content).expect("YAML");
        write(&path, text).expect("written");
        path
    }

    fn encoded(&self, name: &str) -> String {
        STANDARD.encode(read(self.folder.join(name)).expect("a file"))
    }

    fn sign(&self, name: &str, subject: &str, days: i32, extensions: &str) {
        self.key(name);
        write(self.folder.join(format!("{name}.ext")), extensions).expect("written");
        let request = format!("req -new -key {name}.key -out {name}.csr -subj");
        self.openssl_with(&request, &[subject]);
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -days {days} -extfile {name}.ext -out {name}.crt"
        ));
    }

    fn key(&self, name: &str) {
        self.openssl(&format!(
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime256v1 -out {name}.key"
        ));
    }

    fn openssl(&self, arguments: &str) {
        self.openssl_with(arguments, &[]);
    }

    /// Runs openssl in the folder, with words separated by spaces and further ones that may have some.
    fn openssl_with(&self, arguments: &str, further: &[&str]) {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).args(further);
        run(command.current_dir(&self.folder)).success();
    }
}
