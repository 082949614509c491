//! Against nginx: what a farm's boot server does, and what is put on it wrongly.

use std::fs;

use crate::support::nginx::Nginx;
use crate::support::scripted::{Scripted, partial};
use crate::support::{CHUNK, KERNEL, Release, run};

#[test]
fn a_good_image_is_loaded() {
    let release = Release::new();
    let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
        return;
    };
    let finished = release.load(&["--kernel", KERNEL, &nginx.url("image")]);
    release.is_loaded(&finished);
    assert_eq!(
        finished.said.lines().next(),
        Some("kubefarm: the signature of the image is right: version 7, 8 MiB in 3 chunks")
    );
    assert!(!finished.said.contains("the next in"), "{}", finished.said);
    let log = [
        "GET /image.manifest 200 -",
        "GET /image.manifest.sig 200 -",
        "GET /image 206 bytes=0-",
    ];
    assert_eq!(nginx.log(), log);
}

#[test]
fn what_is_missing_is_named_after_all_tries() {
    for (name, what) in [
        (
            "image.manifest",
            "the manifest of the image is MISSING on the server: ",
        ),
        (
            "image.manifest.sig",
            "the signature of the image is MISSING on the server: ",
        ),
        ("image", "the image is MISSING on the server: "),
    ] {
        let release = Release::new();
        let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
            return;
        };
        fs::remove_file(release.web(name)).expect("removed");
        let finished = release.load(&["--tries", "4", &nginx.url("image")]);
        finished.is_bad(10, &[what, &nginx.url(name)]);
        assert!(
            finished.said.contains("; try 1 of 4, the next in 0.001 s") || name == "image",
            "{}",
            finished.said
        );
        let asked = format!("GET /{name} 404");
        assert_eq!(
            nginx
                .log()
                .iter()
                .filter(|line| line.starts_with(&asked))
                .count(),
            4
        );
        release.is_not_loaded();
    }
}

#[test]
fn a_flipped_byte_is_found_in_its_chunk() {
    let release = Release::new();
    let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
        return;
    };
    for place in [CHUNK, 2 * CHUNK - 1] {
        release.change("image", |bytes| bytes[place] ^= 0x10);
        let finished = release.load(&[&nginx.url("image")]);
        finished.is_bad(
            12,
            &[
                &nginx.url("image"),
                "chunk 2 of 3 (4 to 8 MiB) is WRONG: SHA-256 got ",
                "..., signed ",
            ],
        );
        assert!(
            finished
                .said
                .contains("; 1 of 3 chunks are right, going on in 0.001 s"),
            "{}",
            finished.said
        );
        release.change("image", |bytes| bytes[place] ^= 0x10);
        release.is_not_loaded();
    }
    let again = "GET /image 206 bytes=4194304-".to_owned();
    assert_eq!(
        nginx.log().iter().filter(|line| **line == again).count(),
        4,
        "{:?}",
        nginx.log()
    );
}

#[test]
fn every_chunk_is_checked() {
    for place in [0, 2 * CHUNK, 2 * CHUNK + 12_344] {
        let release = Release::new();
        let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
            return;
        };
        release.change("image", |bytes| bytes[place] ^= 1);
        let number = place / CHUNK + 1;
        release
            .load(&[&nginx.url("image")])
            .is_bad(12, &[&format!("chunk {number} of 3 (")]);
    }
}

#[test]
fn an_edited_manifest_is_refused_unread() {
    for edit in [0, 25, 200] {
        let release = Release::new();
        let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
            return;
        };
        release.change("image.manifest", |bytes| bytes[edit] ^= 1);
        let finished = release.load(&[&nginx.url("image")]);
        finished.is_bad(
            11,
            &[
                "the signature of the image is WRONG",
                &nginx.url("image.manifest.sig"),
                "by the key ",
            ],
        );
        assert!(
            !nginx
                .log()
                .iter()
                .any(|line| line.starts_with("GET /image "))
        );
        release.is_not_loaded();
    }
}

#[test]
fn a_signature_of_another_key_is_refused() {
    let release = Release::new();
    let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
        return;
    };
    run(["key".as_ref(), release.path("other").as_os_str()]).is_good();
    release.sign("other", 7);
    release
        .load(&[&nginx.url("image")])
        .is_bad(11, &["the signature of the image is WRONG"]);

    // With the other key beside it, in a file of its own or in the same one, it is right.
    let other = release.path("other.pub");
    release.is_loaded(&release.load(&[
        "--key",
        other.to_str().expect("UTF-8"),
        &nginx.url("image"),
    ]));
    let both = [release.path("key.pub"), other]
        .map(|file| fs::read_to_string(file).expect("a key"))
        .concat();
    fs::write(release.path("key.pub"), both).expect("written");
    release.is_loaded(&release.load(&[&nginx.url("image")]));
}

#[test]
fn a_damaged_signature_is_refused() {
    let changes: [fn(&mut Vec<u8>); 4] = [
        |sig| sig[63] ^= 0x20,
        |sig| sig.truncate(63),
        Vec::clear,
        |sig| sig.push(0),
    ];
    for change in changes {
        let release = Release::new();
        let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
            return;
        };
        release.change("image.manifest.sig", change);
        release
            .load(&[&nginx.url("image")])
            .is_bad(11, &["the signature of the image is WRONG"]);
    }
}

#[test]
fn an_older_image_is_refused_and_a_newer_taken() {
    let release = Release::new();
    let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
        return;
    };
    release.sign("key", 6);
    let finished = release.load(&[&nginx.url("image")]);
    finished.is_bad(
        15,
        &[
            "the image is OLDER than this initrd: it is version 6, wanted is 7 or newer",
            "/image",
        ],
    );
    release.sign("key", 8);
    release.is_loaded(&release.load(&[&nginx.url("image")]));
}

#[test]
fn an_image_for_another_kernel_is_refused() {
    let release = Release::new();
    let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
        return;
    };
    let finished = release.load(&["--kernel", "6.1.0-41-amd64", &nginx.url("image")]);
    finished.is_bad(15, &["ANOTHER KERNEL", KERNEL, "6.1.0-41-amd64"]);
    release.is_not_loaded();
}

#[test]
fn a_short_image_has_its_own_words() {
    for size in [CHUNK + 1, 2 * CHUNK, 0] {
        let release = Release::new();
        let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
            return;
        };
        release.change("image", |bytes| bytes.truncate(size));
        let finished = release.load(&["--tries", "2", &nginx.url("image")]);
        finished.is_bad(
            12,
            &[&format!(
                "the image is SHORT: it has {size} bytes, signed are 8400953"
            )],
        );
        release.is_not_loaded();
    }
}

#[test]
fn a_longer_image_is_read_as_far_as_it_is_signed() {
    let release = Release::new();
    let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
        return;
    };
    release.change("image", |bytes| bytes.extend_from_slice(b"more"));
    release.is_loaded(&release.load(&[&nginx.url("image")]));
}

#[test]
fn a_bad_source_is_left_for_a_good_one() {
    let release = Release::new();
    let Some(good) = Nginx::start(release.folder.path(), "web") else {
        return;
    };
    fs::create_dir(release.path("mirror")).expect("a folder");
    for name in ["image", "image.manifest", "image.manifest.sig"] {
        fs::copy(release.web(name), release.path("mirror").join(name)).expect("copied");
    }
    let mut bytes = release.image.clone();
    bytes[CHUNK + 5] ^= 1;
    fs::write(release.path("mirror/image"), bytes).expect("written");
    let Some(bad) = Nginx::start(release.folder.path(), "mirror") else {
        return;
    };

    let finished = release.load(&[&bad.url("image"), &good.url("image")]);
    release.is_loaded(&finished);
    assert_eq!(
        finished.said.matches("is WRONG").count(),
        1,
        "{}",
        finished.said
    );
    assert_eq!(good.log(), ["GET /image 206 bytes=4194304-"]);
}

#[test]
fn what_another_source_began_is_gone_on_with() {
    let release = Release::new();
    let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
        return;
    };
    let image = release.image.clone();
    let cut = Scripted::start(release.web(""), move |request, stream| {
        let is_image = request.path == "/image";
        if is_image {
            partial(stream, &image, request.start.unwrap_or(0), 2 * CHUNK + 100);
        }
        is_image
    });
    let finished = release.load(&[&cut.url("image"), &nginx.url("image")]);
    release.is_loaded(&finished);
    assert!(
        finished
            .said
            .contains("the connection was cut; 2 of 3 chunks are right"),
        "{}",
        finished.said
    );
    assert_eq!(nginx.log(), ["GET /image 206 bytes=8388608-"]);
}

#[test]
fn the_last_words_are_in_the_access_log() {
    let release = Release::new();
    let Some(nginx) = Nginx::start(release.folder.path(), "web") else {
        return;
    };
    fs::remove_file(release.web("image.manifest")).expect("removed");
    let report = nginx.url("failed?mac=02-00");
    release
        .load(&["--tries", "1", "--report", &report, &nginx.url("image")])
        .is_bad(10, &["MISSING"]);
    let said = "GET /failed?mac=02-00&said=the%20manifest%20of%20the%20image%20is%20MISSING%20on%20the%20server";
    assert!(
        nginx
            .log()
            .last()
            .is_some_and(|line| line.starts_with(said)),
        "{:?}",
        nginx.log()
    );
}
