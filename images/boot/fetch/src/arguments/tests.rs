use super::*;
use crate::failure::Kind;

fn parsed(line: &str) -> Result<Command, Failure> {
    parse(line.split_whitespace().map(OsString::from))
}

fn error(line: &str) -> String {
    let failure = parsed(line).expect_err(line);
    assert_eq!(failure.kind, Kind::Usage);
    failure.words
}

fn image(line: &str) -> Image {
    match parsed(line) {
        Ok(Command::Image(image)) => image,
        other => panic!("{line}: {other:?}"),
    }
}

const IMAGE: &str = "image --key k --version 7 --output o http://10.0.0.1/i";

#[test]
fn an_image_has_defaults() {
    let image = image(IMAGE);
    assert_eq!((image.version, image.tries), (7, 10));
    assert_eq!((image.kernel, image.report), (None, None));
    assert_eq!(image.sources, ["http://10.0.0.1/i"]);
    assert_eq!(image.waits.stall, Duration::from_secs(20));
}

#[test]
fn an_image_has_all_that_is_given() {
    let image = image(&format!(
        "{IMAGE} http://10.0.0.2/i --key=l --kernel 6.1 --tries 3 --report http://10.0.0.1/r?a"
    ));
    assert_eq!(image.keys, [PathBuf::from("k"), PathBuf::from("l")]);
    assert_eq!(image.kernel.as_deref(), Some("6.1"));
    assert_eq!(image.tries, 3);
    assert_eq!(image.report.as_deref(), Some("http://10.0.0.1/r?a"));
    assert_eq!(image.sources.len(), 2);
}

#[test]
fn what_is_missing_is_named() {
    for (line, name) in [
        ("", "a command"),
        ("key", "FILE"),
        ("public", "FILE"),
        ("report http://10.0.0.1/", "TEXT"),
        ("sign --version 1 --kernel k i", "--key"),
        ("sign --key k --kernel k i", "--version"),
        ("sign --key k --version 1 i", "--kernel"),
        ("sign --key k --version 1 --kernel k", "IMAGE"),
        ("image --version 1 --output o http://10.0.0.1/i", "--key"),
        ("image --key k --output o http://10.0.0.1/i", "--version"),
        ("image --key k --version 1 http://10.0.0.1/i", "--output"),
        ("image --key k --version 1 --output o", "SOURCE"),
        ("sign-configuration --name n --output o a", "--key"),
        ("sign-configuration --key k --output o a", "--name"),
        ("sign-configuration --key k --name n a", "--output"),
        ("sign-configuration --key k --name n --output o", "ARCHIVE"),
        (
            "configuration --header h --output o http://10.0.0.1/c",
            "--key",
        ),
        (
            "configuration --key k --output o http://10.0.0.1/c",
            "--header",
        ),
        ("configuration --key k --header h --output o", "SOURCE"),
    ] {
        assert_eq!(
            error(line),
            format!("{name} is missing; kubefarm-fetch --help says more"),
            "{line}"
        );
    }
}

#[test]
fn what_does_not_belong_is_named() {
    for (line, words) in [
        ("key f g", "key does not take so many arguments"),
        ("key f --version 1", "key does not take --version"),
        (
            "sign --key k --key l --version 1 --kernel k i",
            "one --key signs",
        ),
        (
            "sign --key k --version 1 --kernel k --tries 1 i",
            "sign does not take --tries",
        ),
        ("fetch", "there is no command \"fetch\""),
        (
            "configuration --key k --header h --output o --version 1 http://10.0.0.1/c",
            "configuration does not take --version",
        ),
        (
            "configuration --key k --header h --output o --file f http://10.0.0.1/c",
            "configuration does not take so many arguments",
        ),
        ("key f --frobnicate 1", "there is no option --frobnicate"),
        ("key -x f", "invalid option '-x'"),
    ] {
        assert!(error(line).contains(words), "{line}: {}", error(line));
    }
    assert!(error(&format!("{IMAGE} --version 8")).contains("--version is there twice"));
}

#[test]
fn values_are_checked_at_once() {
    for (option, words) in [
        ("--tries 0", "is not a number from 1 on"),
        ("--tries many", "is not a number from 1 on"),
        ("--report https://10.0.0.1/", "https is not in this program"),
        ("http://10.0.0.1/i?a", "no ? and no #"),
        ("http://server/i", "an IP address"),
    ] {
        let said = error(&format!("{IMAGE} {option}"));
        assert!(said.contains(words), "{option}: {said}");
    }
    assert!(error(&format!("{IMAGE} --manifest 12")).contains("is not a SHA-256"));
    let sign = "sign-configuration --key k --name n --output o a";
    assert!(error(&format!("{sign} --image x86_64")).contains("is not MACHINE=MANIFEST"));
    assert!(error(&format!("{sign} --image a/b=c")).contains("is not a name"));
    assert!(error("sign --version 1.0 --key k --kernel k i").contains("is not a whole number"));
    assert!(error("sign --version 1 --key k --kernel é i").contains("is not a release"));
}

#[test]
fn help_needs_no_command() {
    assert!(matches!(parsed("--help"), Ok(Command::Help)));
    assert!(matches!(parsed("image -h"), Ok(Command::Help)));
    assert!(matches!(parsed("--version"), Ok(Command::ProgramVersion)));
    assert!(matches!(parsed("-V"), Ok(Command::ProgramVersion)));
}

#[test]
fn help_names_every_exit_code() {
    for kind in [
        Kind::Usage,
        Kind::Missing,
        Kind::Signature,
        Kind::Image,
        Kind::Network,
        Kind::Ram,
        Kind::Release,
        Kind::Output,
    ] {
        assert!(
            HELP.contains(&format!("\n  {:2}  ", kind as u8)),
            "{kind:?}"
        );
    }
}
