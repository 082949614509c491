//! Keys and passwords of the examples: reported, and not sent to clusters.

use std::fs;

use super::assert_failed;
use crate::support::kubefarm;

/// A values file with what examples used to hold, and what the README has in place of a key.
const STAND_INS: &str = "\
ltsp:
  config:
    sshAuthorizedKeys:
      - ssh-ed25519 AAAA... you@example.org
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHB5KDJtTjuuNCDraK6CGaH8Jki4553Gq1+KNp+4hYgq admin@farm.example
    rootPasswd: $6$farmexample$uRmuvjrPokdJ3/WYvbgOWVu4QFRWNFykRRHwjfxMQf0cdpa2db04w1OxGwDeVv.AzOVkzTWLBqFpmaxP5MAdF.
";

#[test]
fn apply_sends_no_stand_ins_to_a_cluster() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("values.yaml");
    fs::write(&file, STAND_INS).expect("written");
    let file = file.to_str().expect("text");
    let args = ["apply", "-f", file, "--kubeconfig", "/nowhere"];
    let key = format!("ltsp.config.sshAuthorizedKeys[0] ({file}:4:9)");
    let examples = format!("ltsp.config.sshAuthorizedKeys[1] ({file}:5:9)");
    let password = format!("ltsp.config.rootPasswd ({file}:6:17)");
    for more in [&[][..], &["--dry-run=server"]] {
        let finished = kubefarm([&args, more].concat());
        assert_failed(
            &finished,
            1,
            &["these values are placeholders", &key, &examples, &password],
        );
        assert!(!finished.stderr.contains("uRmuvj"), "{}", finished.stderr);
        assert!(!finished.stderr.contains("/nowhere"), "{}", finished.stderr);
    }
    // No cluster is asked, and what would be sent is only looked at.
    let looked_at = kubefarm([&args[..3], &["--dry-run=client"]].concat());
    assert_eq!(looked_at.code(), 0, "{}", looked_at.stderr);
    let rendered = kubefarm(["render", "-f", file]);
    assert_eq!(rendered.code(), 0, "{}", rendered.stderr);
    assert!(
        rendered.stderr.contains("which everybody knows"),
        "{}",
        rendered.stderr
    );
}

#[test]
fn a_new_farm_warns_that_nobody_can_log_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("text");
    for example in ["generic", "catchall"] {
        let farm = format!("{path}/{example}");
        kubefarm(["init", &farm, "--example", example]).success();
        let values = format!("{farm}/values.yaml");
        let text = fs::read_to_string(&values).expect("the values");
        assert!(text.contains("# sshAuthorizedKeys:"), "{text}");
        let rendered = kubefarm(["render", "-f", &values]);
        assert_eq!(rendered.code(), 0, "{}", rendered.stderr);
        let says = "warning: nobody can log in to the nodes";
        assert!(rendered.stderr.starts_with(says), "{}", rendered.stderr);
        assert_eq!(rendered.stderr.matches("warning").count(), 1);
        for own in [
            "ltsp.config.rootPasswd=*",
            "ltsp.config.sshAuthorizedKeys={ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINxb8ozzEZfkfO822D/2Sd1ascHNI3Lq9XODItbUSde0 me}",
        ] {
            let mine = kubefarm(["render", "-f", &values, "--set", own]);
            assert_eq!((mine.code(), mine.stderr.as_str()), (0, ""));
        }
    }
}
