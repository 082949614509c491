use super::*;

fn holds(range: &str, address: &str) -> bool {
    let address = address.parse().expect("an address");
    parse(range).expect(range).may_hold(&address)
}

#[test]
fn a_range_holds_its_network() {
    let static_range = "tag:!x, 10.0.1.0 ,static,255.255.255.0,10.0.1.255,infinite";
    assert!(holds(static_range, "10.0.1.9") && !holds(static_range, "10.0.2.9"));
    assert!(holds("10.0.0.1,10.0.0.9", "10.9.0.1") && !holds("10.0.0.1,10.0.0.9", "11.0.0.1"));
    assert!(holds("fd00::1,fd00::ff", "fd00::9") && !holds("fd00::1,fd00::ff", "fd01::9"));
    assert!(holds("fd00::1,fd00::ff", "[::9]") && !holds("fd00::,static,80", "::9"));
    assert!(holds("fd00::1,fd00::ff", "[fd00::8/125]"));
    assert!(holds("::,constructor:eth*", "fd01::9") && !holds("::,ra-only", "10.0.0.1"));
}

#[test]
fn ranges_that_lease_the_same_are_seen() {
    let shares = |one: &str, other: &str| {
        let [one, other] = [one, other].map(|range| parse(range).expect(range));
        assert_eq!(one.shares_leases(&other), other.shares_leases(&one));
        one.shares_leases(&other)
    };
    assert!(shares("10.0.0.10,10.0.0.50", "10.0.0.50,10.0.0.90"));
    assert!(shares("10.0.0.10,10.0.0.90", "10.0.0.20,10.0.0.30"));
    assert!(shares("fd00::1,fd00::9", "fd00::9,fd00::f"));
    assert!(!shares("10.0.0.10,10.0.0.50", "10.0.0.51,10.0.0.90"));
    assert!(!shares("10.0.0.0,static", "10.0.0.0,static"));
    assert!(!shares("10.0.0.0,static", "10.0.0.0,10.0.0.9"));
    assert!(!shares("::,ra-only", "::,ra-only"));
}

#[test]
fn a_network_is_known_by_its_mask() {
    let network = |range: &str| {
        parse(range)
            .expect(range)
            .network()
            .map(|net| net.to_string())
    };
    let known = network("10.0.0.0,static,255.255.0.0,10.0.255.255,infinite");
    assert_eq!(known.as_deref(), Some("10.0.0.0/16"));
    assert_eq!(network("10.0.0.10,10.0.0.90,12h"), None);
    assert_eq!(
        network("fd00::1,fd00::9,64,1h").as_deref(),
        Some("fd00::/64")
    );
}

#[test]
fn masks_have_no_gaps() {
    for range in ["10.0.0.0,static,255.0.255.0", "10.0.0.0,static,10.0.0.255"] {
        assert!(
            parse(range).is_err_and(|fault| fault.contains("netmask")),
            "{range}"
        );
    }
}
