//! Mistakes that make no readable files: binary ones, huge ones; and those on the command line.

/// A file that has to be refused, and what is said of it.
pub struct Mistake {
    pub file: &'static str,
    pub content: Vec<u8>,
    /// `LINE:COLUMN`.
    pub place: &'static str,
    pub message: &'static str,
}

/// A manifest for the child that is larger than a Secret.
fn large_manifest() -> String {
    let text = "x".repeat(1_100_000);
    format!(
        "kubernetes:\n  extraManifests:\n    large.yaml: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: large}}, data: {{text: {text}}}}}\n"
    )
}

pub fn all() -> Vec<Mistake> {
    let mistake = |file, content: &[u8], place, message| Mistake {
        file,
        content: content.to_vec(),
        place,
        message,
    };
    vec![
        mistake(
            "elf",
            b"\x7fELF\x02\x01\x01\0\0\0",
            "1:8",
            "a NUL character: this is not a text file",
        ),
        mistake("png", b"\x89PNG\r\n\x1a\n", "1:1", "not UTF-8 text"),
        mistake(
            "latin1.yaml",
            b"name: farm1\nltsp: # b\xf6\n",
            "2:10",
            "not UTF-8 text",
        ),
        mistake(
            "utf16.yaml",
            b"\xff\xfen\0a\0m\0e\0",
            "1:1",
            "not UTF-8 text",
        ),
        mistake(
            "large_manifest.yaml",
            large_manifest().as_bytes(),
            "3:17",
            "kubernetes.extraManifests.large\\.yaml: an object of 1100070 bytes: a Secret brings it to the child, and holds 1048576",
        ),
        mistake(
            "flow_depth.yaml",
            deep_flow(10_000).as_bytes(),
            "1:259",
            "nested deeper than 128 levels",
        ),
        mistake(
            "block_depth.yaml",
            deep_block(10_000).as_bytes(),
            "129:129",
            "nested deeper than 128 levels",
        ),
        mistake(
            "list_depth.yaml",
            "- ".repeat(10_000).as_bytes(),
            "1:257",
            "nested deeper than 128 levels",
        ),
        mistake(
            "alias_bomb.yaml",
            alias_bomb().as_bytes(),
            "6:45",
            "aliases expand to more than 1000000 values",
        ),
        mistake(
            "open_quote.yaml",
            format!("name: \"{}", "x".repeat(100_000)).as_bytes(),
            "1:7",
            "not valid YAML",
        ),
        mistake(
            "large_file.yaml",
            format!(
                "ltsp:\n  config:\n    extraFiles:\n      a: x\n      b: {}\n",
                "x".repeat(2_000_000)
            )
            .as_bytes(),
            "5:7",
            "ltsp.config.extraFiles.b: this file has 2000000 bytes, all files together have 2000001",
        ),
    ]
}

fn deep_flow(depth: usize) -> String {
    format!("a: {}{}", "[".repeat(depth), "]".repeat(depth))
}

fn deep_block(depth: usize) -> String {
    (0..depth)
        .map(|level| format!("{}a:\n", " ".repeat(level)))
        .collect()
}

/// Ten aliases a level: a billion values from ten lines.
fn alias_bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

/// A flag, its text, and how what is said of it begins.
pub const FLAGS: [(&str, &str, &str); 18] = [
    (
        "--set",
        "ltsp",
        "the key \"ltsp\" has no value, at character 1",
    ),
    ("--set", "=1", "a key is missing, at character 1"),
    ("--set", "ltsp..x=1", "a key is missing, at character 6"),
    ("--set", "nodePools[0=1", "an index must end with ]"),
    (
        "--set",
        "nodePools[x].range=1",
        "\"x\" is not a list index, at character 11",
    ),
    (
        "--set",
        "nodePools[-1].range=1",
        "the list index -1 is not between 0 and 65536, at character 11",
    ),
    (
        "--set",
        "nodePools[70000].range=1",
        "the list index 70000 is not between 0 and 65536",
    ),
    (
        "--set",
        "nodePools[0]x=1",
        "unexpected \"x\" after an index, at character 13",
    ),
    (
        "--set",
        "ltsp.config.modules={a,b",
        "a list must end with }",
    ),
    (
        "--set",
        "ltsp.labels.a=b\\",
        "a backslash with nothing after it",
    ),
    ("--set-json", "ltsp.labels={\"a\":", "not valid JSON"),
    ("--set-json", "{\"ltsp\": ", "not valid JSON"),
    (
        "--set-file",
        "ltsp.config.extraFiles.a=/does/not/exist",
        "cannot read \"/does/not/exist\"",
    ),
    (
        "--set",
        "ltsp.replicas=2",
        "ltsp.replicas: unknown key \"replicas\"",
    ),
    (
        "--set-string",
        "ltsp.enabled=perhaps",
        "ltsp.enabled: expected a boolean, found the string \"perhaps\"",
    ),
    (
        "--set",
        "nodePools=[]",
        "nodePools: expected a list of node pools, or a map of name to node pool, found the string \"[]\"",
    ),
    (
        "--set-file",
        "ltsp.config.extraFiles.a=/dev/zero",
        "cannot read \"/dev/zero\": it has more than 64 MiB",
    ),
    (
        "--set-json",
        "ltsp.replicaCount=[1]",
        "ltsp.replicaCount: expected an integer, found a list",
    ),
];
