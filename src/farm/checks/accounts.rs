//! Who may log in to the nodes as root, and with what.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::farm::findings::Findings;
use crate::farm::spec::{BootConfig, Values};
use crate::values::{Path, Problem};

/// The public key of the examples, without its comment.
const EXAMPLE_KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIHB5KDJtTjuuNCDraK6CGaH8Jki4553Gq1+KNp+4hYgq";
/// The examples' password, hashed.
const EXAMPLE_PASSWORD: &str = "$6$farmexample$uRmuvjrPokdJ3/WYvbgOWVu4QFRWNFykRRHwjfxMQf0cdpa2db04w1OxGwDeVv.AzOVkzTWLBqFpmaxP5MAdF.";

const KEY_HELP: &str = "copy the whole line of the .pub file";
const PASSWORD_HELP: &str = "write what `openssl passwd -6` prints";

/// Checks keys and password.
pub fn check(config: &BootConfig, values: &Values, findings: &mut Findings) {
    let path = Path::from("ltsp.config");
    for (index, key) in config.ssh_authorized_keys.iter().enumerate() {
        public_key(key, &path.join("sshAuthorizedKeys").join(index), findings);
    }
    if let Some(password) = &config.root_passwd {
        root_password(password, &path.join("rootPasswd"), findings);
    }
    let nodes = values.node_pools.own();
    let has_nodes = nodes
        .into_iter()
        .any(|(_, pool)| !pool.nodes.is_empty() || pool.range.is_some());
    if values.ltsp.enabled && has_nodes && !has_login(config) {
        let problem = Problem::warning(
            "nobody can log in to the nodes: there is no public key and no password",
        );
        let help = "add the line of your .pub file to ltsp.config.sshAuthorizedKeys, or set \
                    ltsp.config.rootPasswd; \"*\" means that nobody shall log in";
        findings.add(problem.help(help));
    }
}

/// Whether values bring a way to log in. Files, Secrets and scripts of the user's own may be one.
fn has_login(config: &BootConfig) -> bool {
    !config.ssh_authorized_keys.is_empty()
        || config.root_passwd.is_some()
        || !config.sections.is_empty()
        || !config.extra_files.is_empty()
        || !config.extra_projected_items.is_empty()
}

fn public_key(key: &str, path: &Path, findings: &mut Findings) {
    if key.trim_end().chars().any(char::is_control) {
        findings.error(path, "a key is one line");
    } else if key.split_whitespace().count() < 2 {
        findings.error(path, format!("`{key}` is not a public key: expected a type and its base64 text, as in a .pub file"));
    } else if key.contains(EXAMPLE_KEY) {
        let problem = Problem::warning(
            "this is the public key of the examples, and nobody has its private key",
        );
        findings.record(path, problem.help("replace it with your own").render_only());
    } else if key.contains("...") && !is_whole_key(key) {
        let problem = Problem::warning("this is a placeholder for a public key");
        findings.record(path, problem.help(KEY_HELP).render_only());
    } else if !is_whole_key(key) {
        let problem = Problem::warning(
            "this key is incomplete or not a key at all: sshd ignores it, and nobody can log in with it",
        );
        findings.record(path, problem.help(KEY_HELP));
    }
}

fn root_password(password: &str, path: &Path, findings: &mut Findings) {
    if password.chars().any(char::is_control) || password.contains(':') {
        findings.error(
            path,
            "a hashed password has no colon and no line break (crypt(5))",
        );
    } else if password == EXAMPLE_PASSWORD {
        let problem =
            Problem::warning("this is the password of the examples, which everybody knows");
        findings.record(path, problem.help(PASSWORD_HELP).render_only());
    } else if !is_hash(password) && !matches!(password, "*" | "!") {
        let problem =
            Problem::warning("this is not a hashed password, so nobody can log in with it");
        findings.record(path, problem.help(PASSWORD_HELP));
    }
}

/// Whether the base64 text of a public key begins with the type that stands before it, and has all of its parts: each
/// behind its length (RFC 4253, section 6.6). Options may stand before the type (sshd(8)).
fn is_whole_key(key: &str) -> bool {
    let is_type = |word: &&str| {
        ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|start| word.starts_with(start))
    };
    let mut words = key.split_whitespace().skip_while(|word| !is_type(word));
    let (Some(kind), Some(text)) = (words.next(), words.next()) else {
        return false;
    };
    let Ok(blob) = STANDARD.decode(text) else {
        return false;
    };
    let mut rest = blob.as_slice();
    let mut parts = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length));
        let Some((part, after)) = length
            .ok()
            .and_then(|length| after.split_at_checked(length))
        else {
            return false;
        };
        parts.push(part);
        rest = after;
    }
    rest.is_empty() && parts.len() > 1 && parts.first() == Some(&kind.as_bytes())
}

/// Whether it has the form `$ID$…` of a hashed password (crypt(5)).
fn is_hash(password: &str) -> bool {
    let id = password
        .strip_prefix('$')
        .and_then(|rest| rest.split_once('$'));
    id.is_some_and(|(id, _)| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_key_is_one() {
        assert!(is_whole_key(&format!(
            "ssh-ed25519 {EXAMPLE_KEY} admin@farm.example"
        )));
        assert!(!is_whole_key("ssh-ed25519 AAAA... you@example.org"));
        // Cut inside of a length.
        let cut = [&[0, 0, 0, 7][..], b"ssh-rsa", &[0, 0, 0, 1, 3, 0, 0]].concat();
        assert!(!is_whole_key(&format!("ssh-rsa {}", STANDARD.encode(cut))));
        assert!(is_hash(EXAMPLE_PASSWORD));
    }
}
