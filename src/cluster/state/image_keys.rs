//! The keys that a boot server's system images are verified with, as the boot server itself serves them.

use super::pods::{is_running, pods, port_called};
use crate::cluster::client::{Api, ClusterError, Forward};
use crate::cluster::record::InventoryError;
use crate::cluster::record::inventory::{self, Part};
use crate::farm::Release;
use crate::manifest::json::text_at;

/// The Deployment, whatever its name.
const PART: Part = Part {
    kind: "Deployment",
    component: "boot-server",
};
/// The name of its port.
const PORT: &str = "http";
/// The folders of kinds of machines, as boot images have them.
const MACHINES: [&str; 2] = ["x86_64", "arm64"];

/// The release that a boot server hands out to a kind of machine, and the keys in its initrd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageKeys {
    /// `x86_64`
    pub machine: String,
    /// The name of the release's folder.
    pub release: String,
    /// Each a SubjectPublicKeyInfo in base64 without line breaks, as PEM has it between its first line and its last.
    pub keys: Vec<String>,
}

/// Asks a boot server of the farm; empty where none of its pods runs.
///
/// # Errors
/// Where the cluster refuses, or the boot server does not answer.
pub async fn image_keys(
    api: &Api,
    release: &Release,
    concurrency: usize,
) -> Result<Vec<ImageKeys>, InventoryError> {
    let Some(parent) = inventory::read(api, release).await? else {
        return Ok(Vec::new());
    };
    let servers = inventory::parts(api, release, parent, PART, concurrency).await?;
    let Some(deployment) = servers.first() else {
        return Ok(Vec::new());
    };
    let namespace = text_at(deployment, &["metadata", "namespace"]);
    let pods = pods(api, namespace, text_at(deployment, &["metadata", "name"])).await?;
    let Some(pod) = pods.iter().find(|pod| is_running(pod)) else {
        return Ok(Vec::new());
    };
    let name = text_at(pod, &["metadata", "name"]);
    let port = port_called(pod, PORT)?;
    let mut forward = api.forward(namespace, name, port).await?;
    let mut found = Vec::new();
    for machine in MACHINES {
        found.extend(of_machine(&mut forward, machine).await?);
    }
    Ok(found)
}

/// `None` where the image is not for such machines.
async fn of_machine(
    forward: &mut Forward,
    machine: &str,
) -> Result<Option<ImageKeys>, ClusterError> {
    let Some(release) = forward.find(&format!("/ltsp/{machine}/release")).await? else {
        return Ok(None);
    };
    let release = String::from_utf8_lossy(&release).trim().to_owned();
    let path = format!("/ltsp/{machine}/{release}/keys.pem");
    let pem = forward.find(&path).await?.unwrap_or_default();
    Ok(Some(ImageKeys {
        machine: machine.to_owned(),
        keys: keys(&String::from_utf8_lossy(&pem)),
        release,
    }))
}

/// The contents of the PEM blocks in a text (RFC 7468).
fn keys(pem: &str) -> Vec<String> {
    let blocks = pem.split("-----BEGIN PUBLIC KEY-----").skip(1);
    let blocks = blocks.filter_map(|block| block.split_once("-----END"));
    blocks
        .map(|(content, _)| content.split_whitespace().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_of_a_file_is_one_line() {
        let pem = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA
AAAA
-----END PUBLIC KEY-----
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEB
-----END PUBLIC KEY-----
";
        assert_eq!(keys(pem), ["MCowBQYDK2VwAyEAAAAA", "MCowBQYDK2VwAyEB"]);
        assert_eq!(keys("<html>"), [""; 0]);
    }
}
