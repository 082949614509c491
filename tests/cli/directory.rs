//! `render --output-dir`: a file for every object, all of them or none.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::cli::assert_failed;
use crate::support::{Finished, kubefarm};

fn render_into(dir: &Path, args: &[&str]) -> Finished {
    let dir = dir.to_str().expect("text");
    kubefarm(["render", "--output-dir", dir].iter().chain(args))
}

/// Names and contents of a folder's files.
fn contents(dir: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(dir).expect("a folder");
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        (name, fs::read_to_string(path).expect("a file"))
    };
    entries.map(file).collect()
}

/// The documents of a stream, whatever their order.
fn documents(streams: impl Iterator<Item = String>) -> Vec<String> {
    let joined: String = streams
        .map(|stream| stream.trim_start_matches("---\n").to_owned() + "---\n")
        .collect();
    let mut documents: Vec<String> = joined.split("---\n").map(str::to_owned).collect();
    documents.retain(|document| !document.is_empty());
    documents.sort();
    documents
}

#[test]
fn the_files_hold_what_the_stream_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("new/manifests");
    let finished = render_into(&dir, &["-f", "builtin:generic"]);
    assert_eq!((finished.code(), finished.stdout.as_str()), (0, ""));
    let mut files = contents(&dir);
    let listed = files.remove(".kubefarm-output").expect("the list of files");
    assert!(listed.lines().eq(files.keys()));
    let stream = kubefarm(["render", "-f", "builtin:generic"]).success();
    assert_eq!(
        documents(files.into_values()),
        documents([stream].into_iter())
    );
}

#[test]
fn a_second_run_replaces_the_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("manifests");
    render_into(&dir, &["-f", "builtin:generic"]).success();
    let first = contents(&dir);
    render_into(&dir, &["-f", "builtin:generic", "--show-only", "etcd.yaml"]).success();
    let second = contents(&dir);
    assert!(second.len() < first.len() && second.keys().any(|name| name.contains("etcd")));
    render_into(&dir, &["-f", "builtin:generic"]).success();
    assert_eq!(contents(&dir), first);
    let beside: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(beside.len(), 1, "nothing is left beside it: {beside:?}");
}

#[test]
fn a_folder_keeps_its_mode() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("manifests");
    fs::create_dir(&dir).expect("made");
    for mode in [0o700, 0o750] {
        fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).expect("changed");
        render_into(&dir, &[]).success();
        let found = fs::metadata(&dir).expect("a folder").permissions().mode();
        assert_eq!(found & 0o777, mode);
    }
}

#[test]
fn a_folder_and_json_are_not_asked_for_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("manifests");
    let finished = render_into(&dir, &["-o", "json"]);
    assert_failed(&finished, 2, &["--output json", "--output-dir"]);
    assert!(!dir.exists());
}

#[test]
fn a_run_that_fails_leaves_the_old_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("manifests");
    render_into(&dir, &[]).success();
    let before = contents(&dir);
    assert_failed(
        &render_into(&dir, &["--set", "ltsp.replicas=1"]),
        2,
        &["ltsp.replicas"],
    );
    assert_eq!(contents(&dir), before);
}

#[test]
fn folders_with_other_files_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("notes.txt"), "mine").expect("written");
    let finished = render_into(folder.path(), &[]);
    assert_failed(&finished, 2, &["holds files that kubefarm did not write"]);
    assert_eq!(contents(folder.path()).len(), 1);

    let dir = folder.path().join("manifests");
    render_into(&dir, &[]).success();
    fs::write(dir.join("mine.yaml"), "mine").expect("written");
    assert_failed(
        &render_into(&dir, &[]),
        2,
        &["mine.yaml", "did not write this"],
    );
    assert_eq!(
        fs::read_to_string(dir.join("mine.yaml")).expect("kept"),
        "mine"
    );
}

#[test]
fn secrets_are_for_their_owner_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("manifests");
    render_into(
        &dir,
        &[
            "--set",
            "kubernetes.extraManifests.a\\.yaml=null,join.mode=token",
        ],
    )
    .success();
    let secrets: Vec<String> = contents(&dir)
        .into_iter()
        .filter(|(_, text)| text.contains("\nkind: Secret\n"))
        .map(|(name, _)| name)
        .collect();
    assert!(!secrets.is_empty());
    for name in secrets {
        let mode = fs::metadata(dir.join(&name))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let inside = file.path().join("manifests");
    assert_failed(
        &render_into(&inside, &[]),
        1,
        &[file.path().to_str().expect("text")],
    );
    assert_failed(
        &render_into(file.path(), &[]),
        2,
        &[file.path().to_str().expect("text"), "it is not a folder"],
    );
}
