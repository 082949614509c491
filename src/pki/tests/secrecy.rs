//! No private key in what people or logs could see.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::farm::spec::KeyKind;
use crate::pki::Key;

/// Fails where the text has a line of the key, or its base64 as a Secret has it.
#[track_caller]
fn assert_without(text: &str, key: &str) {
    // After the first two lines of such a key comes its public half, which certificates have as well.
    let lines = key.lines().filter(|line| !line.starts_with("-----"));
    for line in lines.take(2) {
        assert!(!text.contains(line), "a key's line is in {text}");
    }
    let encoded = STANDARD.encode(key);
    assert!(!text.contains(&encoded[..64]), "a key is in {text}");
}

#[test]
fn what_is_written_for_debugging_has_no_key() {
    let pki = pki("");
    let completed = completed(&pki, &Store::new(), 0);
    let text = format!("{completed:?} {:#?}", store(&completed));
    assert!(text.contains("BEGIN CERTIFICATE") && !text.contains("PRIVATE KEY"));
    for issued in &completed.issued {
        assert_without(&text, &issued.material.key);
    }
}

#[test]
fn errors_and_reasons_have_no_key() {
    let pki = pki("");
    let found = made(&pki);
    let damages: [fn(&mut Material); 5] = [
        |it| *it.key = truncated(&it.key),
        |it| it.certificate = it.key.to_string(),
        |it| it.certificate = format!("{}{}", it.key.as_str(), truncated(&it.certificate)),
        |it| it.key.insert(60, '!'),
        |it| it.authorities = it.key.to_string(),
    ];
    for name in ["ca", "admin-client"] {
        let key = found[&secret(name)].key.clone();
        for damage in damages {
            let damaged = change(&found, name, damage);
            let text = match complete(&pki, &damaged, Some(after(60)), &Intent::default()) {
                Ok(completed) => format!("{:?}", changes(&completed)),
                Err(errors) => {
                    let said: Vec<String> = errors.iter().map(PkiError::to_string).collect();
                    format!("{errors:?} {said:?}")
                }
            };
            assert!(!text.contains("PRIVATE"), "{text}");
            assert_without(&text, &key);
        }
    }
}

/// What memory is searched for, kept in a form in which the search does not find itself.
struct Hidden(Vec<u8>);

const MASK: u8 = 0xa5;

impl Hidden {
    fn of(secret: &[u8]) -> Hidden {
        Hidden(secret.iter().map(|byte| byte ^ MASK).collect())
    }

    /// How often it is in this process's memory.
    fn count(&self) -> usize {
        let maps = fs::read_to_string("/proc/self/maps").expect("a map");
        let memory = File::open("/proc/self/mem").expect("memory");
        let mut count = 0;
        let mut buffer = vec![0; 1 << 16];
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (from, to) = line
                .split(' ')
                .next()
                .and_then(|range| range.split_once('-'))
                .expect("a range");
            let number = |text| u64::from_str_radix(text, 16).expect("an address");
            let (mut from, to) = (number(from), number(to));
            while from < to {
                let read = memory.read_at(&mut buffer, from).unwrap_or_default();
                if read == 0 {
                    break;
                }
                let read = read.min(usize::try_from(to - from).expect("it fits"));
                let matches = buffer[..read].windows(self.0.len());
                count += matches
                    .filter(|window| {
                        window
                            .iter()
                            .zip(&self.0)
                            .all(|(one, other)| one ^ MASK == *other)
                    })
                    .count();
                buffer.fill(0);
                // The next part begins before the end of this one, so that nothing is cut in two.
                let step = read.saturating_sub(self.0.len() - 1).max(1);
                from += if from + (read as u64) < to {
                    step as u64
                } else {
                    read as u64
                };
            }
        }
        count
    }
}

#[test]
fn keys_are_wiped_from_memory() {
    for kind in [KeyKind::Ecdsa256, KeyKind::Rsa2048] {
        let made = Key::generate(kind).expect("a key");
        let pem = made.to_pem();
        let read = Key::parse(&pem).expect("a key");
        let again = read.to_pem();
        // The middle of the first line: the key itself or, of RSA, what follows from it.
        let text = pem.lines().nth(1).expect("a line");
        let text = Hidden::of(&text.as_bytes()[40..]);
        let der = super::super::pem::private_key(&pem).expect("a key");
        let der_piece = Hidden::of(&der[40..64]);
        assert!(
            text.count() >= 2 && der_piece.count() >= 2,
            "the search finds what is there"
        );
        drop((made, read, pem, again, der));
        assert_eq!((text.count(), der_piece.count()), (0, 0), "{kind:?}");
    }
}
