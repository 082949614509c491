//! A machine that asks the join service, with curl and OpenSSL.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::agent::child::{AGENT, Child};
use crate::agent::process::Agent;
use crate::support::run;

/// A machine that asks: the address that it asks from, and a folder with what it makes and gets.
pub struct Asker<'a> {
    agent: &'a Agent,
    child: &'a Child,
    source: &'static str,
    folder: TempDir,
}

/// What the join service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn is_refused(&self, status: u16, reason: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert!(self.text.contains(reason), "{}", self.text);
    }
}

impl<'a> Asker<'a> {
    pub fn new(agent: &'a Agent, child: &'a Child, source: &'static str) -> Asker<'a> {
        Asker {
            agent,
            child,
            source,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub fn openssl(&self, arguments: &str) {
        let mut openssl = Command::new("openssl");
        openssl
            .args(arguments.split('|'))
            .current_dir(self.folder.path());
        run(&mut openssl).success();
    }

    /// A new key, and a request for a subject.
    pub fn make(&self, subject: &str, further: &str) {
        self.openssl("genpkey|-algorithm|EC|-pkeyopt|ec_paramgen_curve:P-256|-out|node.key");
        self.openssl(&format!(
            "req|-new|-key|node.key|-subj|{subject}|-out|request{further}"
        ));
    }

    /// A new key and a request, as the nodes' script makes them.
    pub fn make_for(&self, name: &str) {
        self.make(&format!("/O=system:nodes/CN=system:node:{name}"), "");
    }

    /// Sends the request.
    pub fn ask(&self, query: &str) -> Answer {
        let port = self.agent.port;
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "-m",
            "70",
            "-o",
            "answer",
            "-w",
            "%{http_code}",
            "--data-binary",
            "@request",
        ])
        .args(["--interface", self.source])
        .args([
            "--cacert",
            &self
                .child
                .cluster
                .folder()
                .join("ca.crt")
                .display()
                .to_string(),
        ])
        .args(["--connect-to", &format!("{AGENT}:8443:127.0.0.1:{port}")])
        .arg(format!("https://{AGENT}:8443/v1/join?{query}"))
        .current_dir(self.folder.path());
        let status = run(&mut curl).success().parse().expect("a status");
        let text = std::fs::read(self.path("answer")).expect("an answer");
        Answer {
            status,
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }

    /// Makes a request and sends it.
    pub fn ask_for(&self, name: &str, mac: &str) -> Answer {
        self.make_for(name);
        self.ask(&format!("name={name}&mac={mac}"))
    }

    /// The files of the answer.
    pub fn files(&self) -> BTreeMap<String, String> {
        let mut tar = Command::new("tar");
        tar.args(["-tf", "answer"]).current_dir(self.folder.path());
        let names = run(&mut tar).success();
        let content = |name: &str| {
            let mut tar = Command::new("tar");
            tar.args(["-xOf", "answer", name])
                .current_dir(self.folder.path());
            (name.to_owned(), run(&mut tar).success())
        };
        names.lines().map(content).collect()
    }

    /// Runs kubectl in the child with the certificate of the answer.
    pub fn kubectl(&self, arguments: &str) -> crate::support::Finished {
        std::fs::write(self.path("node.crt"), &self.files()["node.crt"]).expect("written");
        let file = |name: &str| self.path(name).display().to_string();
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "a",
            "clusters": [{"name": "a", "cluster": {
                "server": self.child.cluster.server(),
                "certificate-authority": self.child.cluster.folder().join("ca.crt"),
            }}],
            "users": [{"name": "a", "user": {
                "client-certificate": file("node.crt"), "client-key": file("node.key"),
            }}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        });
        std::fs::write(self.path("kubeconfig"), kubeconfig.to_string()).expect("written");
        let mut kubectl = self
            .child
            .cluster
            .command("kubectl", &self.path("kubeconfig"));
        run(kubectl.args(arguments.split_whitespace()))
    }
}
