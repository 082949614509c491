//! No private key in what people or logs could see.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

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
        |it| it.key.insert_str(60, "!"),
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
