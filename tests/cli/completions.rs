//! Completions in the real shells: a line is typed into each, with a tab, and run.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{kubefarm, kubefarm_command, program, run};

/// A shell at a terminal, with kubefarm's completions. `kubefarm` prints there what it is called with.
struct Typist {
    terminal: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Drop for Typist {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.terminal.kill();
        let _ = self.terminal.wait();
    }
}

impl Typist {
    fn start(shell: &str, folder: &Path) -> Option<Typist> {
        let script = program("script", "bsdutils")?;
        program(shell, shell)?;
        let completions = kubefarm(["completions", shell]).success();
        fs::write(folder.join("completions"), completions).expect("written");
        let (start, prepare) = match shell {
            "bash" => ("bash --norc --noprofile -i", ""),
            "zsh" => ("zsh -f -i", "autoload -U compinit; compinit -u -D; "),
            _ => ("fish --no-config -i", ""),
        };
        let begin = match shell {
            "fish" => "function kubefarm;",
            _ => "kubefarm() {",
        };
        let (arguments, end) = match shell {
            "fish" => ("$argv", "end"),
            _ => ("\"$@\"", "}"),
        };
        let binary = Path::new(env!("CARGO_BIN_EXE_kubefarm"));
        let path = format!(
            "{}:{}",
            binary.parent().expect("a folder").display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let mut command = kubefarm_command();
        let variables: Vec<_> = command
            .get_envs()
            .map(|(name, _)| name.to_owned())
            .collect();
        command = Command::new(script);
        for name in variables {
            command.env_remove(name);
        }
        let start = format!("stty cols 300 rows 50; exec {start}");
        let mut terminal = command
            .args(["-qfec", &start, "/dev/null"])
            .current_dir(folder)
            .env("PATH", path)
            .env("HOME", folder)
            .env("TERM", "xterm")
            .env("KUBECONFIG", folder.join("kubeconfig"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let keyboard = terminal.stdin.take().expect("a pipe");
        let mut output = terminal.stdout.take().expect("a pipe");
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut typist = Typist {
            terminal,
            keyboard,
            screen,
            seen: String::new(),
        };
        // What is typed is seen too, so the words that are waited for are written with quotes inside.
        typist.enter(&format!(
            "{prepare}source ./completions; {begin} printf 'g''ot'; printf '<%s>' {arguments}; printf ':e''nd\\n'; {end}; echo rea''dy\n"
        ));
        typist.until("ready");
        Some(typist)
    }

    fn enter(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typed");
        self.keyboard.flush().expect("typed");
    }

    /// What the screen shows from now on, up to and with `mark`.
    fn until(&mut self, mark: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(at) = self.seen.find(mark) {
                let rest = self.seen.split_off(at + mark.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => panic!("waited in vain for {mark:?} ({error}): {:?}", self.seen),
            }
        }
    }

    /// Types the end of a line of `kubefarm`, a tab, and return; gives what kubefarm was called with.
    fn complete(&mut self, line: &str) -> String {
        self.enter(&format!("kubefarm {line}\t\n"));
        let seen = self.until(":end");
        let (_, called) = seen.rsplit_once("got").expect("called");
        called.trim_end_matches(":end").to_owned()
    }
}

/// A folder with files to complete, one of them with a space in its name, and contexts.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in ["my values.yaml", "main.txt", "other.yaml"] {
        fs::write(folder.path().join(file), "{}\n").expect("written");
    }
    for dir in ["manifests", "pki folder"] {
        fs::create_dir(folder.path().join(dir)).expect("made");
    }
    let kubeconfig = "apiVersion: v1\nkind: Config\ncontexts:\n\
                      - {name: first-one, context: {cluster: a, user: a}}\n\
                      - {name: second-one, context: {cluster: a, user: a}}\n";
    fs::write(folder.path().join("kubeconfig"), kubeconfig).expect("written");
    folder
}

fn in_shell(shell: &str) {
    let folder = folder();
    let Some(mut typist) = Typist::start(shell, folder.path()) else {
        return;
    };
    for (typed, called) in [
        ("ren", "<render>"),
        ("render --show-o", "<render><--show-only>"),
        ("render -f builtin:mini", "<render><-f><builtin:minimal>"),
        ("render -f buil", "<render><-f><builtin:>"),
        ("render -f my", "<render><-f><my values.yaml>"),
        ("render -f my\\ v", "<render><-f><my values.yaml>"),
        (
            "render -f other.yaml -f \"my v",
            "<render><-f><other.yaml><-f><my values.yaml>",
        ),
        (
            "render --output-dir m",
            "<render><--output-dir><manifests/>",
        ),
        (
            "pki init --pki-dir pk",
            "<pki><init><--pki-dir><pki folder/>",
        ),
        ("render --set kub", "<render><--set><kubernetes.>"),
        (
            "render --set kubernetes.etcd.repl",
            "<render><--set><kubernetes.etcd.replicaCount=>",
        ),
        (
            "render --set name=a,ltsp.repl",
            "<render><--set><name=a,ltsp.replicaCount=>",
        ),
        (
            "render --show-only Stateful",
            "<render><--show-only><StatefulSet/*>",
        ),
        (
            "render --show-only kubernetes/templates/sch",
            "<render><--show-only><kubernetes/templates/scheduler.yaml>",
        ),
        (
            "show layers konnectivity-",
            "<show><layers><konnectivity-http>",
        ),
        (
            "show templates dnsmasq/files/dhcp-s",
            "<show><templates><dnsmasq/files/dhcp-server.sh>",
        ),
        ("show exam", "<show><examples>"),
        ("show examples gen", "<show><examples><generic>"),
        ("show values kub", "<show><values><kubernetes>"),
        ("init --example cat", "<init><--example><catchall>"),
        ("list --context sec", "<list><--context><second-one>"),
        ("completions fi", "<completions><fish>"),
        ("pki rotate-ca front", "<pki><rotate-ca><front-proxy-ca>"),
        (
            "pki rotate-ca ca --step tr",
            "<pki><rotate-ca><ca><--step><trust>",
        ),
        ("render -o js", "<render><-o><json>"),
        ("render --output=js", "<render><--output=json>"),
    ] {
        // What ends in several ways has the beginning that all of them share.
        assert_eq!(typist.complete(typed), called, "{shell}: {typed}");
    }
}

#[test]
fn bash_completes() {
    in_shell("bash");
}

#[test]
fn zsh_completes() {
    in_shell("zsh");
}

#[test]
fn fish_completes() {
    in_shell("fish");
}

/// The answers to the scripts, one on each line.
fn answers(words: &[&str]) -> Vec<String> {
    let question = ["__complete", "zsh", "--", "kubefarm"];
    let text = kubefarm(question.iter().chain(words)).success();
    let name = |line: &str| line.split('\t').next().unwrap_or_default().to_owned();
    text.lines().map(name).collect()
}

#[test]
fn flags_are_offered_where_a_hyphen_is_typed() {
    let layers = answers(&["show", "layers", ""]);
    assert!(
        layers.iter().all(|name| !name.starts_with('-')),
        "{layers:?}"
    );
    assert!(layers.contains(&"ha".to_owned()), "{layers:?}");
    let flags = answers(&["show", "layers", "-"]);
    assert!(flags.contains(&"--color".to_owned()), "{flags:?}");
    assert_eq!(answers(&["completions", "f"]), ["fish"]);
}

#[test]
fn nodes_are_those_of_the_values_on_the_line() {
    let asked = |words: &[&str]| answers(&[&["nodes"], words].concat());
    assert_eq!(
        asked(&["show", "-f", "builtin:generic", "r1n06"]),
        ["r1n06"]
    );
    assert_eq!(
        asked(&["list", "--values=builtin:generic", "--pool", ""]),
        ["0", "1"]
    );
    assert_eq!(
        asked(&["list", "-f", "builtin:generic", "--tag", ""]),
        ["debug", "storage"]
    );
    let claim = [
        "claim",
        "--into",
        "examples/catchall/values.yaml",
        "--pool",
        "",
    ];
    assert_eq!(asked(&claim), ["unlisted"]);
    assert_eq!(asked(&["show", "r1"]), [""; 0]);
    assert_eq!(asked(&["show", "-f", "/does/not/exist", "r1"]), [""; 0]);
}

#[test]
fn without_a_cluster_nothing_is_offered_and_nothing_is_said() {
    let finished = run(kubefarm_command()
        .args(["__complete", "zsh", "--", "kubefarm", "status", "far"])
        .env("KUBECONFIG", "/does/not/exist")
        .env("HOME", "/does/not/exist"));
    assert_eq!(finished.success(), "");
}
