//! Parts of patterns that several types have.

pub const LABEL: &str = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
pub const LOWER_LABEL: &str = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
/// The name in a label's key, and a label's value.
pub const QUALIFIED: &str = "[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?";
/// A number that may have a fraction.
pub const AMOUNT: &str = "(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)";
const OCTET: &str = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

pub fn ipv4() -> String {
    format!("(?:{OCTET}\\.){{3}}{OCTET}")
}

/// RFC 4291, section 2.2: eight groups, or fewer around one `::`; the last two may be an IPv4 address.
pub fn ipv6() -> String {
    let group = "[0-9A-Fa-f]{1,4}";
    let two = format!("(?:{group}:{group}|{})", ipv4());
    let mut forms = vec![format!("(?:{group}:){{6}}{two}")];
    for after in 0..=7 {
        // `::` stands for one group at least.
        let before = match 7 - after {
            0 => String::new(),
            most => format!("(?:{group}(?::{group}){{0,{}}})?", most - 1),
        };
        let after = match after {
            0 => String::new(),
            1 => group.to_owned(),
            more => format!("(?:{group}:){{{}}}{two}", more - 2),
        };
        forms.push(format!("{before}::{after}"));
    }
    format!("(?:{})", forms.join("|"))
}

pub fn address() -> String {
    format!("(?:{}|{})", ipv4(), ipv6())
}

pub fn cidr() -> String {
    let (v4, v6) = (ipv4(), ipv6());
    format!("(?:{v4}/(?:3[0-2]|[12]?[0-9])|{v6}/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))")
}

pub fn dns_name() -> String {
    format!("{LABEL}(?:\\.{LABEL})*")
}

pub fn lower_dns_name() -> String {
    format!("{LOWER_LABEL}(?:\\.{LOWER_LABEL})*")
}

/// robfig/cron's standard parser; the minute may be `H`, which is chosen for each farm.
pub fn cron(duration: &str) -> String {
    let any_case = |name: &str| {
        let letter = |letter: char| format!("[{}{letter}]", letter.to_ascii_uppercase());
        name.chars().map(letter).collect::<String>()
    };
    let named = |numbers: &str, names: &str| {
        let names: Vec<String> = names.split(' ').map(any_case).collect();
        format!("(?:{numbers}|{})", names.join("|"))
    };
    let months = "jan feb mar apr may jun jul aug sep oct nov dec";
    let fields = [
        "[0-5]?[0-9]".to_owned(),
        "(?:[01]?[0-9]|2[0-3])".to_owned(),
        "(?:0?[1-9]|[12][0-9]|3[01])".to_owned(),
        named("0?[1-9]|1[0-2]", months),
        named("0?[0-6]", "sun mon tue wed thu fri sat"),
    ]
    .map(|number| {
        let item = format!("(?:[*?]|{number}(?:-{number})?)(?:/0*[1-9][0-9]*)?");
        format!("{item}(?:,{item})*")
    });
    let [minute, rest @ ..] = &fields;
    let rest = rest.join(" +");
    let macros = "@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)";
    format!(" *(?:H|{minute}) +{rest} *|{macros}|@every {duration}")
}
