//! Schedules of CronJobs.

use std::time::Duration;

use super::go_duration;

const MONTHS: &str = "jan feb mar apr may jun jul aug sep oct nov dec";
const DAYS: &str = "sun mon tue wed thu fri sat";
/// For each field the lowest and the highest number, and the names of the numbers from the lowest on.
const FIELDS: [(u16, u16, &str); 5] = [
    (0, 59, ""),
    (0, 23, ""),
    (1, 31, ""),
    (1, 12, MONTHS),
    (0, 6, DAYS),
];
/// Named schedules, as fields.
const MACROS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// A schedule of a CronJob: five fields, a macro, or `@every` and a duration (robfig/cron's standard parser); and
/// kubefarm's `H` as the minute.
#[derive(Debug, Clone)]
pub enum Schedule {
    Every(Duration),
    At(Times),
}

impl Schedule {
    /// Parses a schedule; `None` if it is not valid.
    pub fn parse(text: &str) -> Option<Schedule> {
        match text.strip_prefix("@every ") {
            Some(duration) => go_duration(duration).map(Schedule::Every),
            None => Times::parse(text).map(Schedule::At),
        }
    }

    /// The longest time between two runs; `None` if it never runs.
    pub fn longest_wait(&self) -> Option<Duration> {
        match self {
            Schedule::Every(duration) => Some(*duration),
            Schedule::At(times) => times.longest_wait(),
        }
    }
}

/// The numbers of each field, ascending.
#[derive(Debug, Clone)]
pub struct Times {
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

#[derive(Debug, Clone)]
struct Field {
    numbers: Vec<u16>,
    /// Whether it is `*` or `?`, and so leaves the choice of days to the other field about them.
    is_any: bool,
}

impl Times {
    fn parse(text: &str) -> Option<Times> {
        let named = MACROS.iter().find(|(name, _)| *name == text);
        let fields = named.map_or(text, |(_, fields)| fields).split_whitespace();
        // `H` is any minute, and 0 does as well here.
        let mut fields = fields
            .enumerate()
            .map(|(index, field)| match (index, field) {
                (0, "H") => "0",
                (_, field) => field,
            });
        let mut known = FIELDS.iter();
        let mut field = || {
            let (least, most, names) = known.next()?;
            Field::parse(fields.next()?, *least, *most, names)
        };
        let times = Times {
            minutes: field()?,
            hours: field()?,
            days: field()?,
            months: field()?,
            weekdays: field()?,
        };
        fields.next().is_none().then_some(times)
    }

    /// Eight years contain every distance between days except those around 2100.
    fn longest_wait(&self) -> Option<Duration> {
        let times: Vec<u64> = self
            .hours
            .numbers
            .iter()
            .flat_map(|hour| {
                self.minutes
                    .numbers
                    .iter()
                    .map(move |minute| hour * 60 + minute)
            })
            .map(u64::from)
            .collect();
        let (first, last) = times.first().zip(times.last())?;
        let within_a_day = times.windows(2).map(|pair| match pair {
            [one, next] => next - one,
            _ => 0,
        });
        let days = self.days_of_eight_years();
        days.first()?;
        let between_days = days.windows(2).map(|pair| match pair {
            [one, next] => (next - one) * 24 * 60 + first - last,
            _ => 0,
        });
        let minutes = within_a_day.chain(between_days).max()?;
        Some(Duration::from_secs(minutes * 60))
    }

    /// The days on which it runs, counted from the beginning of 2025, which was a Wednesday.
    fn days_of_eight_years(&self) -> Vec<u64> {
        const LENGTHS: [u16; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (mut count, mut weekday) = (0, 3);
        let mut found = Vec::new();
        for year in 2025..2033 {
            for (month, length) in (1..).zip(LENGTHS) {
                let leap = u16::from(month == 2 && year % 4 == 0);
                for day in 1..=length + leap {
                    if self.months.numbers.contains(&month) && self.is_on(day, weekday) {
                        found.push(count);
                    }
                    count += 1;
                    weekday = (weekday + 1) % 7;
                }
            }
        }
        found
    }

    /// If both fields for days are set, either is enough (crontab(5)).
    fn is_on(&self, day: u16, weekday: u16) -> bool {
        let by_day = self.days.numbers.contains(&day);
        let by_weekday = self.weekdays.numbers.contains(&weekday);
        if self.days.is_any || self.weekdays.is_any {
            by_day && by_weekday
        } else {
            by_day || by_weekday
        }
    }
}

impl Field {
    fn parse(text: &str, least: u16, most: u16, names: &str) -> Option<Field> {
        let mut numbers = Vec::new();
        let mut is_any = false;
        for range in text.split(',').filter(|range| !range.is_empty()) {
            numbers.extend(numbers_of(range, least, most, names)?);
            is_any |= matches!(range, "*" | "?");
        }
        numbers.sort_unstable();
        numbers.dedup();
        (!numbers.is_empty()).then_some(Field { numbers, is_any })
    }
}

/// `*`, `?`, a number or name, or two of them with a hyphen; then perhaps `/` and a step.
fn numbers_of(range: &str, least: u16, most: u16, names: &str) -> Option<Vec<u16>> {
    let number = |text: &str| {
        let mut names = names.split(' ');
        let named = names.position(|name| name.eq_ignore_ascii_case(text) && !name.is_empty());
        match named.and_then(|index| u16::try_from(index).ok()) {
            Some(index) => Some(least + index),
            None => text.parse().ok(),
        }
        .filter(|number| (least..=most).contains(number))
    };
    let (range, step) = match range.split_once('/') {
        Some((range, step)) => (range, Some(step.parse::<u32>().ok()?)),
        None => (range, None),
    };
    let (first, last) = match range.split_once('-') {
        _ if matches!(range, "*" | "?") => (least, most),
        Some((first, last)) => (number(first)?, number(last)?),
        // A number with a step continues to the end.
        None => (
            number(range)?,
            if step.is_some() { most } else { number(range)? },
        ),
    };
    let step = usize::try_from(step.unwrap_or(1))
        .ok()
        .filter(|step| *step > 0)?;
    (first <= last).then(|| (first..=last).step_by(step).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_cron(text: &str) -> bool {
        Schedule::parse(text).is_some()
    }

    fn longest_wait(text: &str) -> Option<Duration> {
        Schedule::parse(text)?.longest_wait()
    }

    #[test]
    fn the_longest_wait_for_the_next_run() {
        const HOUR: u64 = 3600;
        for (schedule, hours) in [
            ("0 */12 * * *", 12),
            ("@hourly", 1),
            ("@every 90h", 90),
            ("0 1,2,7 * * *", 18),
            ("0 0 * * 1-5", 72),
            ("0 0 1 * *", 31 * 24),
            ("0 0 1 * sun", 7 * 24),
            ("0 0 29 2 *", 1461 * 24),
            ("0 5/6 * * *", 6),
        ] {
            let expected = Duration::from_secs(hours * HOUR);
            assert_eq!(longest_wait(schedule), Some(expected), "{schedule}");
        }
        assert_eq!(longest_wait("0 0 30 2 *"), None);
    }

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
