//! The JSON Schema in an editor: the YAML language server completes, explains and reports with it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{kubefarm, program, project, run, skip};

/// A server with one file open.
struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    folder: TempDir,
    last: u64,
}

impl Drop for Editor {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Where `tests/install-tools.sh` puts the server.
fn installed() -> Option<PathBuf> {
    program("node", "nodejs")?;
    let script = project().join("tests/language-server.sh");
    let path = run(Command::new(script).arg("path")).success();
    let path = PathBuf::from(path.trim());
    if !path.exists() {
        skip("needs yaml-language-server: tests/install-tools.sh installs it");
        return None;
    }
    Some(path)
}

impl Editor {
    fn start() -> Option<Editor> {
        let path = installed()?;
        let folder = tempfile::tempdir().expect("a folder");
        let schema = folder.path().join("kubefarm.schema.json");
        fs::write(schema, kubefarm(["schema"]).success()).expect("written");
        let mut server = Command::new("node")
            .arg(path)
            .arg("--stdio")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        let input = server.stdin.take().expect("a pipe");
        let output = BufReader::new(server.stdout.take().expect("a pipe"));
        let mut editor = Editor {
            server,
            input,
            output,
            folder,
            last: 0,
        };
        let root = editor.uri("");
        let parameters = json!({
            "processId": null,
            "rootUri": root,
            "capabilities": {
                "textDocument": {
                    "completion": {"completionItem": {"snippetSupport": true}},
                    "hover": {"contentFormat": ["markdown"]},
                    "publishDiagnostics": {},
                },
            },
        });
        editor.ask("initialize", parameters);
        editor.send(json!({"jsonrpc": "2.0", "method": "initialized", "params": {}}));
        Some(editor)
    }

    fn uri(&self, file: &str) -> String {
        format!("file://{}/{file}", self.folder.path().display())
    }

    /// Opens a text as a file of its own, as the help of `kubefarm schema` says, and gives its URI.
    fn open(&mut self, name: &str, text: &str) -> String {
        let uri = self.uri(name);
        let text = format!("# yaml-language-server: $schema=kubefarm.schema.json\n{text}");
        let document = json!({"uri": uri, "languageId": "yaml", "version": 1, "text": text});
        let parameters = json!({"textDocument": document});
        self.send(
            json!({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": parameters}),
        );
        uri
    }

    fn send(&mut self, message: Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("sent");
        self.input.flush().expect("sent");
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            let count = self.output.read_line(&mut line).expect("a header");
            assert!(count > 0, "the language server ended");
            match line.trim().strip_prefix("Content-Length: ") {
                Some(number) => length = number.parse().expect("a number"),
                None if line.trim().is_empty() => break,
                None => {}
            }
        }
        let mut text = vec![0; length];
        self.output.read_exact(&mut text).expect("a message");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// The next message that is one; what the server asks meanwhile is answered with nothing.
    fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.receive();
            if is_it(&message) {
                return message;
            }
            if message.get("method").is_some() && message.get("id").is_some() {
                let items = message["params"]["items"].as_array().map_or(0, Vec::len);
                let result = vec![json!({}); items];
                self.send(json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
            }
        }
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}));
        let answer = self.until(|message| message["id"] == id && message.get("method").is_none());
        assert!(answer.get("error").is_none(), "{answer}");
        answer["result"].clone()
    }

    /// Asks about the place of `|` in a text.
    fn ask_at(&mut self, method: &str, name: &str, text: &str) -> Value {
        let (before, after) = text.split_once('|').expect("a place");
        let uri = self.open(name, &format!("{before}{after}"));
        // The line with the schema is above.
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().len();
        let position = json!({"line": line, "character": column});
        self.ask(
            method,
            json!({"textDocument": {"uri": uri}, "position": position}),
        )
    }

    fn completions(&mut self, name: &str, text: &str) -> BTreeSet<String> {
        let found = self.ask_at("textDocument/completion", name, text);
        let items = found["items"]
            .as_array()
            .or(found.as_array())
            .cloned()
            .unwrap_or_default();
        items
            .iter()
            .filter_map(|item| item["label"].as_str())
            .map(str::to_owned)
            .collect()
    }

    fn diagnostics(&mut self, name: &str, text: &str) -> Vec<String> {
        let uri = self.open(name, text);
        let published = self.until(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri.as_str()
        });
        let found = published["params"]["diagnostics"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        found
            .iter()
            .map(|one| {
                format!(
                    "{}: {}",
                    one["range"]["start"]["line"],
                    one["message"].as_str().unwrap_or_default()
                )
            })
            .collect()
    }
}

/// The keys of an object in the schema.
fn keys(pointer: &str) -> BTreeSet<String> {
    let schema = super::schema::schema();
    let properties = schema
        .pointer(pointer)
        .and_then(Value::as_object)
        .expect("an object");
    properties.keys().cloned().collect()
}

#[test]
fn all_keys_are_offered() {
    let Some(mut editor) = Editor::start() else {
        return;
    };
    for (name, text, pointer) in [
        ("root.yaml", "|\n", "/properties"),
        (
            "kubernetes.yaml",
            "kubernetes:\n  |\n",
            "/properties/kubernetes/properties",
        ),
        ("ltsp.yaml", "ltsp:\n  |\n", "/properties/ltsp/properties"),
        (
            "config.yaml",
            "ltsp:\n  config:\n    |\n",
            "/properties/ltsp/properties/config/properties",
        ),
    ] {
        let offered = editor.completions(name, text);
        let missing: Vec<String> = keys(pointer).difference(&offered).cloned().collect();
        assert!(missing.is_empty(), "{name}: {missing:?} of {offered:?}");
    }
    let of_node = editor.completions("node.yaml", "nodePools:\n  - nodes:\n      - |\n");
    for key in ["name", "mac", "ip", "clientID", "leaseTime"] {
        assert!(of_node.contains(key), "{key} of {of_node:?}");
    }
    let modes = editor.completions("mode.yaml", "dhcp:\n  mode: |\n");
    assert!(
        modes.contains("controller") && modes.contains("standalone"),
        "{modes:?}"
    );
}

#[test]
fn a_key_is_explained_with_its_default_and_an_example() {
    let Some(mut editor) = Editor::start() else {
        return;
    };
    for (name, text, parts) in [
        (
            "a.yaml",
            "kubernetes:\n  etcd:\n    replica|Count: 3\n",
            &["3 survive the loss of 1", "Default: `3`"][..],
        ),
        (
            "b.yaml",
            "kubernetes:\n  ver|sion: v1.37.2\n",
            &["Default: `v1.37.2`"],
        ),
        (
            "c.yaml",
            "nodePools:\n  - nodes:\n      - m|ac: 02:00:00:40:01:0a\n",
            &["MAC addresses", "02:00:00:40:01:0a"],
        ),
    ] {
        let hover = editor.ask_at("textDocument/hover", name, text);
        // What is plain text is escaped for Markdown.
        let text = hover["contents"]["value"].as_str().unwrap_or_default();
        let text = text.replace('\\', "");
        for part in parts {
            assert!(text.contains(part), "{name}: no {part:?} in {hover}");
        }
    }
}

#[test]
fn what_is_wrong_is_underlined_and_what_is_right_is_not() {
    let Some(mut editor) = Editor::start() else {
        return;
    };
    for (name, text, line) in [
        (
            "mac.yaml",
            "nodePools:\n  - nodes:\n      - name: n1\n        mac: 02-00-00-40-01-0a\n",
            "4: ",
        ),
        (
            "ip.yaml",
            "nodePools:\n  - nodes:\n      - name: n1\n        ip: 10.64.1\n",
            "4: ",
        ),
        (
            "cidr.yaml",
            "kubernetes:\n  networking:\n    serviceSubnet: 10.96.0.0\n",
            "3: ",
        ),
        ("version.yaml", "kubernetes:\n  version: 1.37.2\n", "2: "),
        (
            "taint.yaml",
            "tags:\n  kubernetesTaints:\n    all:\n      - key: a\n",
            "4: ",
        ),
        ("typo.yaml", "kubernets: {}\n", "1: "),
    ] {
        let found = editor.diagnostics(name, text);
        assert!(
            found.iter().any(|one| one.starts_with(line)),
            "{name}: {found:?}"
        );
    }
    let right =
        fs::read_to_string(project().join("examples/generic/values.yaml")).expect("the example");
    assert_eq!(editor.diagnostics("right.yaml", &right), [""; 0]);
    let quoted = "kubernetes:\n  enabled: \"true\"\n  etcd:\n    replicaCount: \"3\"\nnodePools:\n  - null\n";
    assert_eq!(editor.diagnostics("quoted.yaml", quoted), [""; 0]);
}
