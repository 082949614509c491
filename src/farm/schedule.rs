//! Schedules of CronJobs that differ from farm to farm.

use super::split::hash;

/// The schedule of the CronJob `name` in `namespace`, as Kubernetes takes it: `H` as the minute stands for a minute
/// that is computed from the two names, so that many farms do not run at the same time. It is the same in every
/// version.
pub fn with_own_minute(schedule: &str, namespace: &str, name: &str) -> String {
    match schedule.trim_start().split_once(char::is_whitespace) {
        Some(("H", rest)) => format!("{} {rest}", hash(&format!("{namespace}/{name}")) % 60),
        _ => schedule.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn farms_have_minutes_of_their_own() {
        let of = |namespace: &str| with_own_minute("H */12 * * *", namespace, "backup");
        assert_eq!(of("farm-b"), "59 */12 * * *");
        let farms: Vec<String> = (0..600).map(|farm| format!("farm{farm}")).collect();
        let minutes: HashSet<String> = farms.iter().map(|farm| of(farm)).collect();
        assert_eq!(minutes.len(), 60);
    }

    #[test]
    fn a_minute_that_the_user_chose_is_kept() {
        for schedule in [
            "0 */12 * * *",
            "@daily",
            "@every 6h",
            "0 H * * *",
            "5 4 * * sun",
        ] {
            assert_eq!(with_own_minute(schedule, "farm", "backup"), schedule);
        }
    }
}
