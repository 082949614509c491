//! Runs checks in a row and says what they saw.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use kubefarm::report::table;

use crate::e2e::Seen;

/// Does one thing with a farm and says what it saw.
pub type Check<T> = fn(&mut T) -> Seen;

/// Every check builds on what the ones before it left behind: the first that fails is the last, and `explain` says how
/// things are then.
///
/// With KUBEFARM_E2E_HOLD a failure leaves everything as it is until Enter is pressed.
pub fn run<T>(
    farm: &mut T,
    checks: &[(&str, Check<T>)],
    explain: impl Fn(&T),
    began: Instant,
) -> ExitCode {
    let mut rows = Vec::new();
    let mut failed = false;
    for (name, check) in checks {
        let start = Instant::now();
        let (result, seen) = if failed {
            ("not run", String::new())
        } else {
            eprintln!("{}  {name} ...", minutes(began.elapsed()));
            match catch_unwind(AssertUnwindSafe(|| check(farm))) {
                Ok(seen) => ("ok", seen),
                Err(_) => ("FAILED", String::new()),
            }
        };
        failed |= result != "ok";
        let took = format!("{:.1} s", start.elapsed().as_secs_f64());
        eprintln!("{result:>6}  {took}: {seen}");
        rows.push(vec![(*name).to_owned(), result.to_owned(), took, seen]);
    }
    if failed {
        explain(farm);
    }
    println!("\n{}", table(&["CHECK", "RESULT", "TIME", "SEEN"], &rows));
    if failed && std::env::var_os("KUBEFARM_E2E_HOLD").is_some() {
        hold();
    }
    println!("after {:.0?}, admin cluster and all", began.elapsed());
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Leaves the admin cluster as it is until Enter is pressed.
pub fn hold() {
    println!("the admin cluster stays until Enter is pressed");
    // Where standard input has an end there is nothing to wait for.
    let _ = std::io::stdin().read_line(&mut String::new());
}

/// `1:02`, right-aligned.
fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{:>3}:{:02}", seconds / 60, seconds % 60)
}
