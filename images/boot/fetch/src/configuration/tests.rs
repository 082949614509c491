use super::*;

fn header() -> Header {
    Header {
        name: "3f2a9c0d1e4b5a67".to_owned(),
        signed: 1_796_076_000,
        size: 169_472,
        sum: [7; 32],
        images: vec![
            ("x86_64".to_owned(), [1; 32]),
            ("arm64".to_owned(), [2; 32]),
        ],
    }
}

#[test]
fn what_is_written_reads_back() {
    let mut header = header();
    assert_eq!(
        Header::parse(header.to_string().as_bytes()),
        Ok(header.clone())
    );
    header.images.clear();
    assert_eq!(Header::parse(header.to_string().as_bytes()), Ok(header));
}

#[test]
fn a_header_is_read_strictly() {
    let good = header().to_string();
    for (from, to, why) in [
        ("configuration 1", "configuration 2", "its format is"),
        ("name 3f2a9c0d1e4b5a67", "name ../x", "is not a name"),
        ("signed 1", "signed 01", "is not a whole number"),
        ("signed 1", "Signed 1", "line 3 has to be \"signed ...\""),
        ("sha256 07", "sha256 7", "line 5 is not a SHA-256"),
        ("image arm64 02", "image arm64 2", "is not an image"),
        ("image arm64", "picture arm64", "line 7 has to be"),
        ("\n\n", "\n", "its last line is cut"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        let said = Header::parse(bad.as_bytes()).expect_err(to);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_word_is_short_and_plain() {
    assert_eq!(word("x86_64"), Ok("x86_64"));
    for wrong in ["", "a b", "a/b", "ä", &"a".repeat(65)] {
        assert!(word(wrong).is_err(), "{wrong}");
    }
}
