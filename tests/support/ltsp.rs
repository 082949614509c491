//! What LTSP itself makes of a rendered `ltsp.conf`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::farms::Objects;
use super::{program, run, skip};

/// LTSP's reader of `ltsp.conf`, as Debian installs it.
const READER: &str = "/usr/share/ltsp/common/ltsp/55-config.sh";

/// The parameters of one boot, as the initrd leaves them to LTSP.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    pub mac: &'a str,
    pub ip: &'a str,
    pub hostname: &'a str,
}

/// Whether LTSP is here; says so where it is not.
pub fn is_installed() -> bool {
    let is_there = Path::new(READER).is_file();
    if !is_there {
        skip(&format!("needs {READER} (Debian package ltsp)"));
    }
    is_there
}

/// `ltsp.conf` in one piece, as the boot server puts it together: the node parts of big farms at its end.
pub fn configuration(objects: &Objects, name: &str) -> String {
    let pod = &objects.get("Deployment", name)["spec"]["template"]["spec"];
    let volumes = pod["volumes"].as_array().expect("volumes");
    let config = volumes.iter().find(|volume| volume["name"] == "config");
    let sources = config.expect("the volume")["projected"]["sources"].as_array();
    let mut parts: Vec<(&str, &str)> = sources
        .expect("sources")
        .iter()
        .filter_map(|source| {
            source["configMap"]["items"]
                .as_array()
                .zip(source["configMap"]["name"].as_str())
        })
        .flat_map(|(items, map)| items.iter().map(move |item| (map, item)))
        .map(|(map, item)| {
            let path = item["path"].as_str().expect("a path");
            (
                path,
                objects.file(map, item["key"].as_str().expect("a key")),
            )
        })
        .filter(|(path, _)| path.starts_with("parts/"))
        .collect();
    parts.sort_unstable();
    let texts = parts.into_iter().map(|(_, text)| text);
    std::iter::once(objects.file(name, "ltsp.conf"))
        .chain(texts)
        .collect()
}

/// The variables that are set once LTSP has read its configuration on a node; `None` without LTSP.
///
/// The order of sections is that of LTSP's `eval_ini` on a client, but for `[init/]`, which changes the system.
pub fn variables(configuration: &str, node: Node) -> Option<BTreeMap<String, String>> {
    let shell = program("dash", "dash")?;
    if !is_installed() {
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ltsp.conf"), configuration).expect("written");
    let mut script = format!(
        "re() {{ \"$@\" || exit 9; }}\n. {READER}\neval \"$(ini2sh ltsp.conf)\"\n\
         section_call unnamed clients common \"$MAC_ADDRESS\" \"$IP_ADDRESS\" >&2\n\
         section_call \"$HOSTNAME\" >&2\n"
    );
    for name in assigned(configuration) {
        script += &format!("test -z \"${{{name}+x}}\" || printf '%s\\0%s\\0' {name} \"${name}\"\n");
    }
    let mut command = Command::new(shell);
    command
        .current_dir(&folder)
        .env_clear()
        .args(["-c", &script]);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("MAC_ADDRESS", node.mac);
    command
        .env("IP_ADDRESS", node.ip)
        .env("HOSTNAME", node.hostname);
    let finished = run(&mut command);
    assert_eq!(finished.stderr, "");
    let output = finished.success();
    let fields: Vec<&str> = output.split('\0').collect();
    let pairs = fields.chunks_exact(2);
    Some(
        pairs
            .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
            .collect(),
    )
}

/// The names of all variables that some section sets.
fn assigned(configuration: &str) -> Vec<&str> {
    let is_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let lines = configuration
        .lines()
        .filter(|line| !line.starts_with("INCLUDE="));
    let mut names: Vec<&str> = lines
        .filter_map(|line| line.split_once('='))
        .map(|(name, _)| name)
        .filter(|name| !name.is_empty() && is_name(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
