use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed};

use super::*;

/// The same cases in every run: a failure is seen again.
fn fixed(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(20_261_128),
        rng_algorithm: RngAlgorithm::ChaCha,
        // The seed is enough to see it again.
        failure_persistence: None,
        ..Config::default()
    }
}

fn good() -> Manifest {
    Manifest {
        version: 20_261_128_120_000,
        kernel: "6.12.57+deb13-amd64".to_owned(),
        size: 2 * CHUNK + 1,
        chunk: CHUNK,
        sums: vec![[0x0a; 32], [0xb1; 32], [0xff; 32]],
    }
}

fn error_of(text: &str) -> String {
    Manifest::parse(text.as_bytes()).expect_err(text)
}

/// The good manifest's text, with one replacement.
fn error_with(old: &str, new: &str) -> String {
    let text = good().to_string();
    assert!(text.contains(old), "{old}");
    error_of(&text.replacen(old, new, 1))
}

#[test]
fn the_text_is_the_documented_one() {
    let zeros = "0a".repeat(32);
    let text = good().to_string();
    let start = "kubefarm-image 1\nversion 20261128120000\nkernel 6.12.57+deb13-amd64\nsize 8388609\nchunk 4194304\n";
    assert!(
        text.starts_with(&format!("{start}sha256 {zeros}\n")),
        "{text}"
    );
    assert_eq!(Manifest::parse(text.as_bytes()), Ok(good()));
}

#[test]
fn another_format_is_named() {
    assert_eq!(
        error_with("image 1", "image 2"),
        "its format is \"kubefarm-image 2\" and not \"kubefarm-image 1\""
    );
    assert_eq!(
        error_of("\n"),
        "its format is \"\" and not \"kubefarm-image 1\""
    );
}

#[test]
fn fields_are_there_once_and_in_order() {
    for name in ["version", "kernel", "size", "chunk"] {
        let line = good()
            .to_string()
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default()
            .to_owned()
            + "\n";
        let missing = error_with(&line, "");
        assert!(
            missing.contains(&format!("has to be \"{name} ...\"")),
            "{missing}"
        );
        let twice = error_with(&line, &line.repeat(2));
        assert!(twice.contains(&format!("and is \"{name} ")), "{twice}");
    }
    assert_eq!(
        error_with("size ", "bytes "),
        "line 4 has to be \"size ...\" and is \"bytes 8388609\""
    );
    let unknown = error_of(&(good().to_string() + "more 1\n"));
    assert_eq!(unknown, "line 9 has to be \"sha256 ...\" and is \"more 1\"");
}

#[test]
fn numbers_are_written_one_way() {
    for wrong in [
        "",
        "+1",
        "01",
        "-1",
        " 1",
        "1 ",
        "0x1",
        "18446744073709551616",
    ] {
        let text = error_with("20261128120000", wrong);
        assert!(text.contains("is not a whole number"), "{wrong}: {text}");
    }
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    assert!(error_with("8388609", "0").contains("size 0 is none"));
    assert!(error_with("8388609", "1099511627777").contains("size 1099511627777 is none"));
    assert!(error_with("4194304", "0").contains("chunk of 0 bytes is none"));
    assert!(error_with("4194304", "67108865").contains("chunk of 67108865 bytes is none"));
    assert!(error_with("8388609", "18446744073709551615").contains("is none of an image"));
}

#[test]
fn each_chunk_has_one_sum() {
    let words = "8388608 bytes are 2 chunks, and it has the SHA-256 of 3";
    assert_eq!(error_with("8388609", "8388608"), words);
    assert!(error_with("8388609", "12582913").contains("are 4 chunks"));
}

#[test]
fn sums_are_64_small_digits() {
    let sum = "0a".repeat(32);
    for wrong in [
        sum.to_uppercase(),
        sum.replacen('a', "g", 1),
        format!("{sum}0"),
        "é".repeat(32),
    ] {
        assert!(
            error_with(&sum, &wrong).starts_with("line 6 is not a SHA-256"),
            "{wrong}"
        );
    }
}

#[test]
fn kernels_are_one_word() {
    let longest = "k".repeat(LONGEST_KERNEL);
    assert_eq!(kernel_release(&longest), Ok(longest.as_str()));
    for wrong in ["", "6.1 amd64", "6.1\t", "6.1é", &format!("{longest}k")] {
        assert!(kernel_release(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn text_ends_with_its_last_line() {
    let text = good().to_string();
    assert!(error_of(text.trim_end()).contains("cut"));
    assert!(error_of(&text.replace('\n', "\r\n")).contains("Unix"));
    assert!(Manifest::parse(b"\xff\n").is_err());
    assert!(Manifest::parse(b"").is_err());
}

#[test]
fn foreign_text_stays_short_and_on_its_line() {
    let words = error_of(&format!("{}\u{1b}[2J\n", "x".repeat(39)));
    assert!(
        words.contains("\\u{1b}\"...") && words.lines().count() == 1,
        "{words}"
    );
}

#[test]
fn the_last_chunk_is_shorter() {
    let chunk = |index| {
        good()
            .chunk(index)
            .map(|chunk| (chunk.start, chunk.length, chunk.sum))
    };
    assert_eq!(chunk(0), Some((0, CHUNK, [0x0a; 32])));
    assert_eq!(chunk(2), Some((2 * CHUNK, 1, [0xff; 32])));
    assert_eq!(chunk(3), None);
    assert_eq!(chunk(usize::MAX), None);
}

prop_compose! {
    fn any_manifest()(
        version: u64, kernel in "[!-~]{1,64}", chunk in 1u64..=LARGEST_CHUNK, last in 1u64..=LARGEST_CHUNK,
        sums in prop::collection::vec(any::<Sum>(), 1..20),
    ) -> Manifest {
        let full = (sums.len() as u64 - 1) * chunk;
        Manifest { version, kernel, size: full + (last - 1) % chunk + 1, chunk, sums }
    }
}

proptest! {
    #![proptest_config(fixed(500))]

    #[test]
    fn what_is_written_reads_back(manifest in any_manifest()) {
        prop_assert_eq!(Manifest::parse(manifest.to_string().as_bytes()), Ok(manifest));
    }

    #[test]
    fn chunks_cover_the_image(manifest in any_manifest()) {
        let mut end = 0;
        for index in 0..manifest.sums.len() {
            let chunk = manifest.chunk(index).expect("inside");
            prop_assert_eq!(chunk.start, end);
            prop_assert!(chunk.length > 0);
            end += chunk.length;
        }
        prop_assert_eq!(end, manifest.size);
    }

    #[test]
    fn any_bytes_are_an_answer(bytes: Vec<u8>) {
        prop_assert!(Manifest::parse(&bytes).is_err());
    }

    /// What reads at all has one way to be written, so that one release has one signature.
    #[test]
    fn a_damaged_manifest_is_refused_or_the_same_text(manifest in any_manifest(), place: prop::sample::Index, byte: u8) {
        let mut bytes = manifest.to_string().into_bytes();
        *place.get_mut(&mut bytes) = byte;
        if let Ok(read) = Manifest::parse(&bytes) {
            prop_assert_eq!(read.to_string().into_bytes(), bytes);
        }
    }

    #[test]
    fn a_cut_manifest_is_refused(manifest in any_manifest(), place: prop::sample::Index) {
        let bytes = manifest.to_string().into_bytes();
        let end = place.index(bytes.len());
        prop_assert!(Manifest::parse(bytes.get(..end).unwrap_or_default()).is_err());
    }
}
