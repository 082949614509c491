//! A local disk that cannot be meant as it is described.

use crate::farm::findings::Findings;
use crate::farm::spec::LocalDisk;
use crate::values::{Path, Problem};

/// Checks the rule for disks at `path`.
pub fn check(disk: &LocalDisk, path: &Path, findings: &mut Findings) {
    if disk.wipe && !disk.has_rule() {
        let problem = Problem::error("nothing says which disk may be wiped");
        findings.record(
            &path.join("wipe"),
            problem.help("by a label alone no disk is formatted; add device, minSize or maxSize"),
        );
    }
    // Tags may name the disk; then they have the size of swap, too.
    if disk.swap.is_some() && !disk.is_wanted() {
        let problem = Problem::error("there is no disk to swap to");
        findings.record(
            &path.join("swap"),
            problem.help("set label, device, minSize or maxSize"),
        );
    }
    if let (Some(least), Some(most)) = (&disk.min_size, &disk.max_size)
        && least.read() > most.read()
    {
        findings.error(
            &path.join("maxSize"),
            format!("no disk has at least {least} and at most {most}"),
        );
    }
}
