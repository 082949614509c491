//! `images/sbom.py`: what is in an image, in SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{json, python, write};
use crate::support::run;

const STATUS: &str = "\
Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc (2.41-12)
Version: 2.41-12+b1
Description: a library
 with more lines: than one

Package: tar
Status: install ok installed
Architecture: amd64
Version: 1:1.35~rc1

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: loop
Status: install ok installed
Architecture: all
Version: 1

Package: base-files
Status: install ok installed
Architecture: all
Version: 13.8
";

const MACHINE_READABLE: &str = "\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: glibc
License: not-of-a-file

Files: *
Copyright: somebody
License: LGPL-2.1+

Files: a
 b
License: GPL-2 or Artistic, and Expat
 The text of it.

Files: c
License: GPL-3+ with Bison exception

License: GPL-2
 On Debian systems …
";

/// A Debian with three packages.
fn root(folder: &Path) -> PathBuf {
    write(
        folder,
        &[
            ("var/lib/dpkg/status", STATUS),
            (
                "usr/lib/os-release",
                "NAME=\"D\"\nID=debian\nVERSION_ID=\"13\"\n",
            ),
            ("usr/share/doc/libc-data/copyright", MACHINE_READABLE),
            (
                "usr/share/doc/tar/copyright",
                "This is tar.\n\nFiles: *\nLicense: GPL-3\n",
            ),
        ],
    );
    fs::create_dir_all(folder.join("etc")).expect("made");
    symlink("../usr/lib/os-release", folder.join("etc/os-release")).expect("a link");
    // Packages of one source often share their papers, and a link must not lead out of the root.
    symlink("libc-data", folder.join("usr/share/doc/libc6")).expect("a link");
    fs::create_dir_all(folder.join("usr/share/doc/base-files")).expect("made");
    let link = folder.join("usr/share/doc/base-files/copyright");
    symlink("/usr/share/doc/tar/../tar/copyright", link).expect("a link");
    symlink("loop", folder.join("usr/share/doc/loop")).expect("a link");
    folder.to_owned()
}

/// What the script wrote for these roots: the SBOM and the text beside it.
fn written(roots: &[&Path], programs: &[&str]) -> Option<(Value, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = python("sbom.py")?;
    command.args(["--name", "ghcr.io/kubefarm/boot:v0.1.0", "--output"]);
    command.arg(folder.path());
    for program in programs {
        command.args(["--program", program]);
    }
    command.args(roots).env("SOURCE_DATE_EPOCH", "86400");
    run(&mut command).success();
    let text = fs::read_to_string(folder.path().join("README")).expect("written");
    Some((json(&folder.path().join("sbom.spdx.json")), text))
}

/// The packages by name.
fn packages(sbom: &Value) -> BTreeMap<&str, &Value> {
    let list = sbom["packages"].as_array().expect("a list");
    list.iter()
        .map(|package| (package["name"].as_str().expect("a name"), package))
        .collect()
}

fn purl(package: &Value) -> &str {
    let reference = &package["externalRefs"][0]["referenceLocator"];
    reference.as_str().expect("a URL")
}

#[test]
fn packages_have_version_source_and_licence() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((sbom, _)) = written(&[&root(folder.path())], &[]) else {
        return;
    };
    let packages = packages(&sbom);
    let names: Vec<&str> = packages.keys().copied().collect();
    let all = [
        "base-files",
        "ghcr.io/kubefarm/boot",
        "libc6",
        "loop",
        "tar",
    ];
    assert_eq!(names, all);
    let libc = packages["libc6"];
    assert_eq!(libc["versionInfo"], "2.41-12+b1");
    assert_eq!(
        libc["sourceInfo"],
        "built from the source package glibc 2.41-12"
    );
    assert_eq!(
        purl(libc),
        "pkg:deb/debian/libc6@2.41-12%2Bb1?arch=amd64&distro=debian-13"
    );
    assert_eq!(
        libc["licenseDeclared"],
        "(GPL-2.0-only OR Artistic-1.0-Perl) AND MIT AND LGPL-2.1-or-later AND \
         LicenseRef-Debian-GPL-3-or-later-with-Bison-exception"
    );
    let tar = packages["tar"];
    assert_eq!(
        purl(tar),
        "pkg:deb/debian/tar@1%3A1.35~rc1?arch=amd64&distro=debian-13"
    );
    assert_eq!(
        tar["sourceInfo"],
        "built from the source package tar 1:1.35~rc1"
    );
    for name in ["tar", "base-files", "loop"] {
        assert_eq!(packages[name]["licenseDeclared"], "NOASSERTION", "{name}");
    }
}

#[test]
fn a_tar_says_the_same_as_its_folder_and_roots_are_joined() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = root(&folder.path().join("root"));
    let archive = folder.path().join("root.tar.xz");
    let mut tar = Command::new("tar");
    tar.args(["--create", "--xz", "--file"]).arg(&archive);
    run(tar.arg("-C").arg(&root).arg(".")).success();
    let of_folder = written(&[&root], &[]);
    assert_eq!(of_folder, written(&[&archive], &[]));
    assert_eq!(of_folder, written(&[&root, &archive], &[]));
}

#[test]
fn programs_of_elsewhere_are_listed() {
    let programs = [
        "kubelet v1.37.2 Apache-2.0 pkg:golang/k8s.io/kubernetes@v1.37.2",
        "thing 1+2 MIT OR Apache-2.0",
    ];
    let Some((sbom, text)) = written(&[], &programs) else {
        return;
    };
    let packages = packages(&sbom);
    assert_eq!(
        purl(packages["kubelet"]),
        "pkg:golang/k8s.io/kubernetes@v1.37.2"
    );
    assert_eq!(packages["kubelet"]["licenseDeclared"], "Apache-2.0");
    assert_eq!(purl(packages["thing"]), "pkg:generic/thing@1%2B2");
    assert_eq!(packages["thing"]["licenseDeclared"], "MIT OR Apache-2.0");
    assert!(text.ends_with("  kubelet v1.37.2: Apache-2.0\n  thing 1+2: MIT OR Apache-2.0\n"));
}

/// What chapters 6 to 11 of the specification ask for, as far as this document has it.
#[test]
fn the_document_has_what_spdx_asks_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = root(folder.path());
    let Some((sbom, _)) = written(&[&root], &["kubefarm 0.1.0 Apache-2.0"]) else {
        return;
    };
    assert_eq!(sbom["spdxVersion"], "SPDX-2.3");
    assert_eq!(sbom["dataLicense"], "CC0-1.0");
    assert_eq!(sbom["SPDXID"], "SPDXRef-DOCUMENT");
    assert_eq!(sbom["creationInfo"]["created"], "1970-01-02T00:00:00Z");
    let creator = sbom["creationInfo"]["creators"][0].as_str();
    assert!(creator.is_some_and(|creator| creator.starts_with("Tool: ")));
    let space = sbom["documentNamespace"].as_str().expect("a URI");
    assert!(space.starts_with("https://") && !space.contains('#'));

    let mut identifiers = BTreeSet::from(["SPDXRef-DOCUMENT"]);
    for package in sbom["packages"].as_array().expect("a list") {
        let identifier = package["SPDXID"].as_str().expect("an identifier");
        assert!(identifiers.insert(identifier), "{identifier} twice");
        assert!(package["versionInfo"].is_string() && package["downloadLocation"].is_string());
        assert_eq!(package["filesAnalyzed"], false);
        assert_eq!(package["externalRefs"][0]["referenceType"], "purl");
    }
    let related = |key: &str| -> BTreeSet<&str> {
        let relations = sbom["relationships"].as_array().expect("a list");
        relations
            .iter()
            .filter_map(|one| one[key].as_str())
            .collect()
    };
    assert!(related("spdxElementId").is_subset(&identifiers));
    let mut reached = related("relatedSpdxElement");
    reached.insert("SPDXRef-DOCUMENT");
    assert_eq!(reached, identifiers);

    let texts = sbom["hasExtractedLicensingInfos"].as_array().expect("one");
    let explained: Vec<&Value> = texts.iter().map(|text| &text["licenseId"]).collect();
    assert_eq!(
        explained,
        ["LicenseRef-Debian-GPL-3-or-later-with-Bison-exception"]
    );
}

#[test]
fn another_content_has_another_namespace_and_the_same_has_the_same() {
    let space = |program: &str| Some(written(&[], &[program])?.0["documentNamespace"].take());
    assert_eq!(space("a 1 MIT"), space("a 1 MIT"));
    if python("sbom.py").is_some() {
        assert_ne!(space("a 1 MIT"), space("a 2 MIT"));
    }
}

#[test]
fn a_root_without_packages_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &[("etc/motd", "")]);
    let Some(mut command) = python("sbom.py") else {
        return;
    };
    command.args(["--name=a:b", "--output"]).arg(folder.path());
    let said = ["has no var/lib/dpkg/status"];
    run(command.arg(folder.path())).failed(1, &said);
}
