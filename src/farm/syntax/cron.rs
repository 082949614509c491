//! Schedules of CronJobs.

use super::go_duration;

/// A schedule of a CronJob: five fields, a macro, or `@every` and a duration (robfig/cron's standard parser); and our
/// own `H` in the place of the minute.
pub fn is_cron(text: &str) -> bool {
    const MACROS: [&str; 7] = [
        "@yearly",
        "@annually",
        "@monthly",
        "@weekly",
        "@daily",
        "@midnight",
        "@hourly",
    ];
    const MONTHS: &str = "jan feb mar apr may jun jul aug sep oct nov dec";
    const DAYS: &str = "sun mon tue wed thu fri sat";
    // Least and greatest number, and the names of the numbers from the least on.
    const FIELDS: [(u8, u8, &str); 5] = [
        (0, 59, ""),
        (0, 23, ""),
        (1, 31, ""),
        (1, 12, MONTHS),
        (0, 6, DAYS),
    ];
    if let Some(duration) = text.strip_prefix("@every ") {
        return go_duration(duration).is_some();
    }
    let mut fields: Vec<&str> = text.split_whitespace().collect();
    if let Some(minute) = fields.first_mut().filter(|minute| **minute == "H") {
        *minute = "0";
    }
    let are_fields = fields.len() == FIELDS.len()
        && fields
            .iter()
            .zip(FIELDS)
            .all(|(field, (least, most, names))| {
                field
                    .split(',')
                    .filter(|range| !range.is_empty())
                    .all(|range| is_cron_range(range, least, most, names))
                    && field.chars().any(|c| c != ',')
            });
    MACROS.contains(&text) || are_fields
}

/// `*`, `?`, a number or name, or two of them with a hyphen; then perhaps `/` and a step.
fn is_cron_range(range: &str, least: u8, most: u8, names: &str) -> bool {
    let number = |text: &str| {
        let mut names = names.split(' ');
        let named = names.position(|name| name.eq_ignore_ascii_case(text) && !name.is_empty());
        match named.and_then(|index| u8::try_from(index).ok()) {
            Some(index) => Some(least + index),
            None => text.parse().ok(),
        }
        .filter(|number| (least..=most).contains(number))
    };
    let (range, step) = range.split_once('/').unwrap_or((range, "1"));
    let is_range = match range.split_once('-') {
        _ if matches!(range, "*" | "?") => true,
        Some((first, last)) => {
            matches!((number(first), number(last)), (Some(a), Some(b)) if a <= b)
        }
        None => number(range).is_some(),
    };
    is_range && step.parse::<u32>().is_ok_and(|step| step > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        assert!(
            is_cron("0 */12 * * *")
                && is_cron("@daily")
                && !is_cron("0 0 * *")
                && !is_cron("@every")
        );
        for good in [
            "@every 6h",
            "0-30/10 1,2 ? JAN-mar sun",
            "*/5 * * * 1-5",
            "5/10 * * * *",
            "H */6 * * *",
        ] {
            assert!(is_cron(good), "{good}");
        }
        for bad in [
            "99 99 * * *",
            "a b c d e",
            "* * 0 * *",
            "* * * * 7",
            "*/0 * * * *",
            "5-1 * * * *",
            ", * * * *",
            "0 H * * *",
            "H/2 * * * *",
            "H",
        ] {
            assert!(!is_cron(bad), "{bad}");
        }
    }
}
