//! What a machine gets with its certificate: the hash of the root password, and the files of Secrets.

use std::path::{Component, Path};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};
use tar::{Builder, Header};
use zeroize::Zeroizing;

use super::refusal::Refusal;
use crate::farm::boot::{ProjectedFile, ProjectedSecret};
use crate::farm::join::JoinSettings;

/// The file with the hash, in the Secret and in the answer.
const PASSWORD: &str = "root-password";
/// The mode of files without one, as those of the boot server have it.
const MODE: u32 = 0o644;

/// The answer to a machine, a tar archive: `node.crt`; `root-password` if there is one; the files of Secrets in `ltsp/`.
///
/// # Errors
/// A Secret that cannot be read, or is not there.
pub(super) async fn answer(
    client: &Client,
    join: &JoinSettings,
    certificate: &str,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), &join.boot_namespace);
    let mut archive = Builder::new(Vec::new());
    add(&mut archive, "node.crt", 0o600, certificate.as_bytes())?;
    if let Some(name) = &join.password {
        let source = ProjectedSecret {
            name: name.clone(),
            ..ProjectedSecret::default()
        };
        for (_, _, content) in files(&secrets, &source).await? {
            add(&mut archive, PASSWORD, 0o600, &content)?;
        }
    }
    for source in &join.secrets {
        for (path, mode, content) in files(&secrets, source).await? {
            if is_below(&path) {
                add(&mut archive, &format!("ltsp/{path}"), mode, &content)?;
            }
        }
    }
    let archive = archive.into_inner().map_err(|error| broken(&error))?;
    Ok(Zeroizing::new(archive))
}

type File = (String, u32, Zeroizing<Vec<u8>>);

/// Path, mode and content of the files of a Secret that are wanted.
async fn files(secrets: &Api<Secret>, source: &ProjectedSecret) -> Result<Vec<File>, Refusal> {
    let pause = Duration::from_secs(5);
    let missing = |what: String| Refusal::later(format!("{what} does not exist"), pause);
    let found = match secrets.get_opt(&source.name).await {
        Ok(found) => found.and_then(|secret| secret.data),
        Err(error) => {
            return Err(Refusal::later(
                format!("Secret {}: {error}", source.name),
                pause,
            ));
        }
    };
    let Some(mut data) = found else {
        return if source.optional {
            Ok(Vec::new())
        } else {
            Err(missing(format!("Secret {}", source.name)))
        };
    };
    if source.items.is_empty() {
        let files = data.into_iter();
        return Ok(files
            .map(|(key, content)| (key, MODE, Zeroizing::new(content.0)))
            .collect());
    }
    let mut files = Vec::new();
    for ProjectedFile { key, path, mode } in &source.items {
        match data.remove(key) {
            Some(content) => {
                let content = Zeroizing::new(content.0);
                files.push((path.clone(), mode.unwrap_or(MODE), content));
            }
            None if source.optional => {}
            None => return Err(missing(format!("{key} of Secret {}", source.name))),
        }
    }
    Ok(files)
}

/// Kubernetes refuses other paths in a volume; nodes unpack this as root.
fn is_below(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

fn add(
    archive: &mut Builder<Vec<u8>>,
    path: &str,
    mode: u32,
    content: &[u8],
) -> Result<(), Refusal> {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_size(content.len() as u64);
    archive
        .append_data(&mut header, path, content)
        .map_err(|error| broken(&error))
}

fn broken(error: &std::io::Error) -> Refusal {
    Refusal::later(format!("the answer: {error}"), Duration::from_secs(5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_unpacked_elsewhere() {
        for path in ["a", "a/b", "..a"] {
            assert!(is_below(path), "{path}");
        }
        for path in ["", "/a", "a/../../b", "..", "./a"] {
            assert!(!is_below(path), "{path}");
        }
    }
}
