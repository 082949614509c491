//! What the texts of some keys look like, for editors: patterns that say no more than the checks do.
//!
//! The patterns keep to what ECMA-262 (with the flag `u`), Rust's and Python's regular expressions have in common.

/// What a key's text looks like.
pub(super) struct Rule {
    /// The end of the key's path, or with a slash before it all of it; `[]` stands for the items of a list or a map.
    pub path: &'static str,
    /// The whole text.
    pub pattern: String,
    /// Whether a number in its place is such a text.
    pub numbers: bool,
    /// Whether several may stand in one text, with commas between them.
    pub several: bool,
    /// For people who want to see one.
    pub example: &'static str,
}

/// What the text at one place looks like.
pub(super) struct Shape<'a> {
    pub rule: &'a Rule,
    pub pattern: String,
}

impl Rule {
    /// What the text at a path looks like, where the rule is about it. Where several may stand in a text, a list of
    /// them may stand in its place.
    pub fn at(&self, path: &str) -> Option<Shape<'_>> {
        let one = &self.pattern;
        let path = format!("/{path}");
        let pattern = match path.ends_with(self.path) {
            true if self.several => format!("(?:{one})(?:, *(?:{one}))*"),
            true => one.clone(),
            false => {
                let list = path.strip_suffix("[]").filter(|_| self.several)?;
                list.ends_with(self.path).then(|| one.clone())?
            }
        };
        Some(Shape {
            rule: self,
            pattern,
        })
    }
}

const LABEL: &str = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const LOWER_LABEL: &str = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const SERVICE: &str = "[a-z](?:[a-z0-9-]*[a-z0-9])?";
const QUALIFIED: &str = "[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?";
const OCTET: &str = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const AMOUNT: &str = "(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)";
const IMAGE_PART: &str = "[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?";

fn ipv4() -> String {
    format!("(?:{OCTET}\\.){{3}}{OCTET}")
}

/// RFC 4291, section 2.2: eight groups, or fewer around one `::`; the last two may be an IPv4 address.
fn ipv6() -> String {
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

fn address() -> String {
    format!("(?:{}|{})", ipv4(), ipv6())
}

fn cidr() -> String {
    let (v4, v6) = (ipv4(), ipv6());
    format!("(?:{v4}/(?:3[0-2]|[12]?[0-9])|{v6}/(?:12[0-8]|1[01][0-9]|[1-9]?[0-9]))")
}

fn dns_name() -> String {
    format!("{LABEL}(?:\\.{LABEL})*")
}

fn lower_dns_name() -> String {
    format!("{LOWER_LABEL}(?:\\.{LOWER_LABEL})*")
}

/// dnsmasq would read the others as a lease time, an address or a keyword.
fn host_name() -> String {
    let (ipv4, name) = (ipv4(), dns_name());
    format!("(?!(?:localhost|ignore|infinite|deprecated|[0-9]+[smhdwSMHDW]?|{ipv4})$){name}")
}

/// dnsmasq(8), --dhcp-host: a kind of hardware may stand before it, and octets may be `*`.
fn mac() -> String {
    let octet = "(?:[0-9A-Fa-f]{2}|\\*)";
    format!("(?:[0-9A-Fa-f]{{1,2}}-)?(?:{octet}:){{5}}{octet}")
}

/// dnsmasq(8), --dhcp-range: tags, the first address, and at least one field more.
fn range() -> String {
    let address = address();
    format!("(?: *(?:tag|set):[^,]+,)* *{address} *(?:,[^,]+)+")
}

/// robfig/cron's standard parser; the minute may be `H`, one of the farm's own.
fn cron() -> String {
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
    format!(" *(?:H|{minute}) +{rest} *|{macros}|@every {}", duration())
}

/// Go's time.ParseDuration, without signs.
fn duration() -> String {
    format!("(?:0|(?:{AMOUNT}(?:ms|us|ns|h|m|s))+)")
}

/// apimachinery's resource.Quantity, without signs.
fn quantity() -> String {
    format!("{AMOUNT}(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{{1,2}})?")
}

fn endpoint() -> String {
    let (ipv6, name) = (ipv6(), dns_name());
    format!("(?:{name}|\\[{ipv6}\\])(?::[0-9]{{1,5}})?")
}

fn image() -> String {
    let registry = format!(
        "(?:localhost|[A-Za-z0-9-]+[.:][A-Za-z0-9.:-]*|\\[{}\\](?::[0-9]+)?)",
        ipv6()
    );
    format!("(?:{registry}/)?{IMAGE_PART}(?:/{IMAGE_PART})*")
}

fn label_key() -> String {
    format!("(?:{}/)?{QUALIFIED}", lower_dns_name())
}

/// The rules; of several that fit a path, the first.
pub(super) fn rules() -> Vec<Rule> {
    let text = |path, pattern: String, example| Rule {
        path,
        pattern,
        numbers: false,
        several: false,
        example,
    };
    let numbers = |rule: Rule| Rule {
        numbers: true,
        ..rule
    };
    let several = |rule: Rule| Rule {
        several: true,
        ..rule
    };
    let digest = "sha256:[0-9A-Fa-f]{64}|sha512:[0-9A-Fa-f]{128}".to_owned();
    let version = "v[0-9]+\\.[0-9]+\\.[0-9]+(?:[-+][0-9A-Za-z.+_-]+)?".to_owned();
    let lease = "infinite|[0-9]+[smhdwSMHDW]?".to_owned();
    vec![
        several(text("nodes[].mac", mac(), "02:00:00:40:01:0a")),
        several(text("nodes[].ip", address(), "10.64.1.11")),
        text("nodes[].name", host_name(), "node1"),
        numbers(text("nodes[].leaseTime", lease, "12h")),
        text(
            "nodePools[].range",
            range(),
            "10.64.0.0,static,255.255.0.0,10.64.255.255,infinite",
        ),
        numbers(text(
            "nodePools[].tags[]",
            "[A-Za-z0-9][A-Za-z0-9_.-]{0,62}".to_owned(),
            "storage",
        )),
        text(
            "kubernetesTaints[][].key",
            label_key(),
            "example.org/dedicated",
        ),
        numbers(text(
            "kubernetesTaints[][].value",
            format!("(?:{QUALIFIED})?"),
            "storage",
        )),
        text("loadBalancerIP", address(), "10.64.0.10"),
        text("certSANs.ipAddresses[]", address(), "10.64.0.10"),
        text(
            "certSANs.dnsNames[]",
            format!("(?:\\*\\.)?{}", dns_name()),
            "k8s.example.org",
        ),
        several(text("networking.serviceSubnet", cidr(), "10.96.0.0/12")),
        several(text("networking.podSubnet", cidr(), "10.112.0.0/12")),
        text("networking.dnsDomain", lower_dns_name(), "cluster.local"),
        text("kubernetes.version", version, "v1.37.2"),
        text(
            "kubernetes.controlPlaneEndpoint",
            endpoint(),
            "k8s.example.org:6443",
        ),
        numbers(text("persistence.size", quantity(), "10Gi")),
        numbers(text("backup.size", quantity(), "10Gi")),
        text("schedule", cron(), "0 */6 * * *"),
        text("tokenGenerator.tokenTtl", duration(), "24h"),
        text("/name", LOWER_LABEL.to_owned(), "farm1"),
        text("ltsp.namespace", LOWER_LABEL.to_owned(), "farm1-boot"),
        text("kubernetes.fullnameOverride", SERVICE.to_owned(), "farm1"),
        text("ltsp.fullnameOverride", SERVICE.to_owned(), "farm1-boot"),
        text(
            "image.repository",
            image(),
            "registry.example.org/kubefarm/tools",
        ),
        text("image.digest", digest, ""),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_hides_behind_another() {
        let rules = rules();
        for (index, rule) in rules.iter().enumerate() {
            let earlier = rules.iter().take(index);
            assert!(
                earlier
                    .clone()
                    .all(|earlier| !rule.path.ends_with(earlier.path)),
                "{}",
                rule.path
            );
        }
    }
}
