//! `kubefarm show images --output-dir`: a folder to build the images from.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{kubefarm, project, run};

fn mode(path: &Path) -> u32 {
    let file = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.permissions().mode() & 0o777
}

#[test]
fn the_folder_has_all_files_scripts_that_run_and_this_kubefarm() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = folder.path().join("new/images");
    let said = kubefarm([
        "show".as_ref(),
        "image".as_ref(),
        "--output-dir".as_ref(),
        images.as_os_str(),
    ]);
    assert!(said.success().contains("tools/build.sh"));
    let list = kubefarm(["show", "images"]).success();
    let names = list.lines().filter_map(|line| line.split("  ").next());
    for name in names {
        let original = project().join("images").join(name);
        let written = images.join(name);
        let text = fs::read_to_string(&original).expect("a text");
        assert_eq!(fs::read_to_string(&written).expect("written"), text);
        assert_eq!(mode(&written) & 0o100, mode(&original) & 0o100, "{name}");
        assert_eq!(
            mode(&written) & 0o111 != 0,
            text.starts_with("#!"),
            "{name}"
        );
    }
    let own = run(Command::new(images.join("tools/kubefarm")).arg("--version"));
    assert_eq!(own.success(), kubefarm(["--version"]).success());
    // Its words are its own, and not those of a shell that could not run it.
    let mut build = Command::new(images.join("tools/build.sh"));
    run(build.arg("--colour=red").arg("x")).failed(1, &["--colour=red: no such option"]);
}

#[test]
fn a_folder_with_files_is_left_alone_unless_that_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let precious = path.join("precious");
    fs::write(&precious, "old").expect("written");
    symlink(&precious, path.join("oci.py")).expect("a link");
    let show = |more: &[&str]| {
        let words = ["show", "images", "--output-dir"].map(str::to_owned);
        let more = more.iter().map(|word| (*word).to_owned());
        kubefarm(
            words
                .into_iter()
                .chain([path.display().to_string()])
                .chain(more),
        )
    };
    let name = path.display().to_string();
    show(&[]).failed(
        2,
        &[&name, "is not empty", "nothing was written", "--force"],
    );
    assert_eq!(fs::read_dir(path).expect("a folder").count(), 2);
    show(&["--force"]).success();
    assert_eq!(fs::read_to_string(&precious).expect("a file"), "old");
    assert!(path.join("oci.py").metadata().expect("a file").len() > 1000);
    // Also by the kubefarm that is in it.
    let own = Command::new(path.join("tools/kubefarm"))
        .args(["show", "images", "--force", "--output-dir"])
        .arg(path)
        .status();
    assert!(own.expect("it runs").success());
}

#[test]
fn what_cannot_be_is_said() {
    kubefarm(["show", "images", "--force"]).failed(2, &["--output-dir"]);
    let both = ["show", "images", "oci.py", "--output-dir", "x"];
    kubefarm(both).failed(2, &["cannot be used with"]);
    kubefarm(["show", "images", "oci.sh"]).failed(2, &["did you mean oci.py?"]);
    let no_folder = ["show", "images", "--output-dir", "Cargo.toml"];
    kubefarm(no_folder).failed(1, &["cannot create Cargo.toml"]);
}
