//! The names of the time zones in IANA's database (iana.org/time-zones), aliases included.

/// One on each line, sorted by bytes.
const NAMES: &str = include_str!("timezones.txt");

/// Every name.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.lines()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::names;

    #[test]
    fn the_zones_of_this_machine_are_known() {
        const DATABASE: &str = "/usr/share/zoneinfo/tzdata.zi";
        let Ok(database) = fs::read_to_string(DATABASE) else {
            assert!(std::env::var_os("CI").is_none(), "{DATABASE} is missing");
            eprintln!("SKIPPED: needs {DATABASE} (Debian package tzdata)");
            return;
        };
        let known: BTreeSet<&str> = names().collect();
        let zones = database.lines().filter_map(|line| {
            let mut words = line.split(' ');
            match words.next() {
                Some("Z") => words.next(),
                Some("L") => words.nth(1),
                _ => None,
            }
        });
        let unknown: Vec<&str> = zones.filter(|zone| !known.contains(zone)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn the_names_are_sorted_and_there_once() {
        let names: Vec<&str> = names().collect();
        assert!(names.len() > 590 && names.contains(&"Europe/Berlin"));
        assert!(names.is_sorted_by(|left, right| left < right));
    }
}
