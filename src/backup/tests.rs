//! A backup of a small database: what is right is found right, and every changed byte and every missing end is found.

use std::io::Write as _;
use std::num::NonZeroU32;
use std::time::Duration;

use age::secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use super::*;

/// A database of one page with the number of a database, and its sum.
fn snapshot() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..4096_u32).map(|number| (number % 251) as u8).collect();
    bytes[16..20].copy_from_slice(&0xED0C_DAED_u32.to_le_bytes());
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

fn manifest() -> Manifest {
    Manifest {
        format: 1,
        farm: "farm".to_owned(),
        namespace: "clusters".to_owned(),
        time: "2026-12-01T02:44:18Z".parse().unwrap(),
        kubefarm: "0.1.0".to_owned(),
        kubernetes: "v1.37.2".to_owned(),
        etcd: EtcdState {
            version: "3.7.0".to_owned(),
            cluster_id: "1".to_owned(),
            member_id: "2".to_owned(),
            revision: 3,
        },
        files: Vec::new(),
    }
}

fn backup_of(snapshot: &[u8], recipients: &[String]) -> Vec<u8> {
    let recipients = Recipients::read(recipients).unwrap();
    let mut archive = Archive::new(recipients.seal(Vec::new()).unwrap());
    archive.add(SNAPSHOT, snapshot).unwrap();
    archive.add("secrets/ca/tls.key", b"a key").unwrap();
    archive.add("secrets/sa/tls.key", b"").unwrap();
    archive.finish(manifest()).unwrap().finish().unwrap()
}

/// A pair of keys: the file with the private one, and the public one.
fn keys(folder: &std::path::Path, name: &str) -> (Keys, String) {
    let identity = age::x25519::Identity::generate();
    let path = folder.join(name);
    std::fs::write(&path, identity.to_string().expose_secret()).unwrap();
    (Keys::read(&path).unwrap(), identity.to_public().to_string())
}

#[track_caller]
fn flaw(bytes: &[u8], keys: Option<&Keys>) -> String {
    verify(bytes, keys).expect_err("a flaw").to_string()
}

#[test]
fn a_whole_one_is_right() {
    let plain = backup_of(&snapshot(), &[]);
    match verify(plain.as_slice(), None).unwrap() {
        Contents::Backup {
            manifest: found,
            encrypted: false,
        } => {
            assert_eq!(found.files.len(), 3);
            assert_eq!(
                Manifest {
                    files: Vec::new(),
                    ..*found
                },
                manifest()
            );
        }
        other => panic!("{other:?}"),
    }
    let snapshot = snapshot();
    let size = snapshot.len() as u64;
    let found = verify(snapshot.as_slice(), None).unwrap();
    assert!(matches!(found, Contents::Snapshot(found) if found == size));
}

#[test]
fn every_changed_byte_is_found_and_every_missing_end() {
    let plain = backup_of(&snapshot(), &[]);
    for at in 0..plain.len() {
        let mut changed = plain.clone();
        changed[at] ^= 0x10;
        assert!(verify(changed.as_slice(), None).is_err(), "byte {at}");
        assert!(verify(&plain[..at], None).is_err(), "cut at {at}");
    }
    let mut longer = plain;
    longer.push(0);
    assert_eq!(flaw(&longer, None), "it goes on after its end");
    let alone = snapshot();
    for at in 0..alone.len() {
        let mut changed = alone.clone();
        changed[at] ^= 1;
        assert!(verify(changed.as_slice(), None).is_err(), "byte {at}");
        assert!(verify(&alone[..at], None).is_err(), "cut at {at}");
    }
}

#[test]
fn the_same_of_an_encrypted_one() {
    let folder = tempfile::tempdir().unwrap();
    let (right, recipient) = keys(folder.path(), "right");
    let (wrong, _) = keys(folder.path(), "wrong");
    let sealed = backup_of(&snapshot(), &[recipient]);
    assert!(matches!(
        verify(sealed.as_slice(), None),
        Ok(Contents::Sealed)
    ));
    let found = verify(sealed.as_slice(), Some(&right)).unwrap();
    assert!(matches!(
        found,
        Contents::Backup {
            encrypted: true,
            ..
        }
    ));
    let said = flaw(&sealed, Some(&wrong));
    assert!(
        said.starts_with("it is encrypted for other keys than those in"),
        "{said}"
    );
    // Each needs an agreement of keys, which takes a while in a test: every byte of the beginning, and some after it.
    let places = (0..300).chain((300..sealed.len()).step_by(97));
    for at in places {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(
            verify(changed.as_slice(), Some(&right)).is_err(),
            "byte {at}"
        );
        assert!(verify(&sealed[..at], Some(&right)).is_err(), "cut at {at}");
    }
    assert!(!sealed.windows(5).any(|bytes| bytes == b"a key"));
}

#[test]
fn what_is_wrong_is_named() {
    let mut bad = snapshot();
    bad[3000] ^= 1;
    let wanted =
        "the snapshot of etcd is damaged: its last 32 bytes are not the SHA-256 of the rest";
    assert_eq!(flaw(&backup_of(&bad, &[]), None), wanted);
    assert_eq!(flaw(&bad, None), wanted);
    // As `cp` of a database has it.
    let copied = &snapshot()[..4096];
    assert!(flaw(copied, None).contains("has no checksum"));
    assert_eq!(flaw(b"", None), "it is empty");
    assert!(flaw(b"PK\x03\x04", None).starts_with("it is not a backup"));
    let plain = backup_of(&snapshot(), &[]);
    let swapped = [
        &plain[..512 + 4096 + 512],
        &plain[512 + 4096 + 512 + 1024..],
    ]
    .concat();
    assert!(flaw(&swapped, None).starts_with("its manifest does not list what it holds"));
    let record = Record {
        file: "a".to_owned(),
        farm: "clusters.farm".to_owned(),
        time: manifest().time,
        size: 3,
        sha256: "00".to_owned(),
        revision: 3,
        encrypted: false,
    };
    let said = record
        .compare(3, "01")
        .expect_err("another one")
        .to_string();
    assert_eq!(
        said,
        "its record says the SHA-256 00, and it has 01: it was changed or swapped"
    );
}

#[test]
fn a_file_has_its_name_only_once_it_is_whole() {
    let root = tempfile::tempdir().unwrap();
    let names = || {
        let entries = std::fs::read_dir(root.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let folder = Folder::new(root.path().to_owned(), "clusters.farm".to_owned());
    let name = folder.name(manifest().time, true);
    assert_eq!(name, "clusters.farm-20261201T024418Z.tar.age");
    let half = ".clusters.farm-20261201T024418Z.tar.age.kubefarm-new";
    let mut unfinished = folder.begin(&name).unwrap();
    unfinished.write_all(b"half").unwrap();
    assert_eq!(names(), [half]);
    drop(unfinished);
    assert!(names().is_empty());
    // What a killed run left, and what others have: nobody else's goes.
    let others = [
        ".clusters.farm-2-20261201T024418Z.tar.age.kubefarm-new",
        ".other.farm-20261201T024418Z.tar.kubefarm-new",
        "clusters.farm-20261201T024418Z.tar.age",
        "notes.txt",
    ];
    for name in others.iter().chain([&half]) {
        std::fs::write(root.path().join(name), "x").unwrap();
    }
    assert_eq!(folder.tidy().unwrap(), 1);
    assert_eq!(names(), others);
    // There is no record of the one that has a name: it is not counted.
    assert!(folder.good().unwrap().is_empty());
    assert!(matches!(folder.begin(&name), Err(BackupError::Exists(_))));
    let name = folder.name(manifest().time + jiff::SignedDuration::from_secs(1), false);
    let mut unfinished = folder.begin(&name).unwrap();
    unfinished.write_all(b"whole").unwrap();
    let (size, sha256) = unfinished.finish().unwrap();
    let record = Record {
        file: name.clone(),
        farm: "clusters.farm".to_owned(),
        time: manifest().time,
        size,
        sha256,
        revision: 1,
        encrypted: false,
    };
    folder.record(&record).unwrap();
    assert_eq!(folder.good().unwrap(), [record]);
    std::fs::write(root.path().join(&name), "cut").unwrap();
    assert!(folder.good().unwrap().is_empty(), "it has another size");
}

#[test]
fn the_newest_one_always_stays() {
    let now = manifest().time;
    let of = |hours: i64| Record {
        file: format!("{hours}"),
        farm: "clusters.farm".to_owned(),
        time: now - jiff::SignedDuration::from_hours(hours),
        size: 1,
        sha256: String::new(),
        revision: 1,
        encrypted: false,
    };
    let left = |hours: &[i64], count: Option<u32>, age: Option<u64>| {
        let retention = Retention {
            count: count.and_then(NonZeroU32::new),
            age: age.map(|hours| Duration::from_secs(hours * 3600)),
        };
        retention.superfluous(hours.iter().copied().map(of).collect(), now)
    };
    assert!(left(&[3, 1, 2], None, None).is_empty());
    assert_eq!(left(&[3, 1, 2], Some(2), None), ["3"]);
    assert_eq!(left(&[3, 1, 2], Some(1), None), ["2", "3"]);
    assert_eq!(left(&[3, 1, 2], None, Some(2)), ["3"]);
    assert_eq!(left(&[30, 10, 20], Some(5), Some(2)), ["20", "30"]);
    assert!(left(&[30], Some(1), Some(2)).is_empty());
    assert!(left(&[], Some(1), Some(2)).is_empty());
}
