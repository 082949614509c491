//! Whether the image fits: into the file system it is loaded to, and into the RAM, where that file system is.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Kind};

/// What has to stay free beside the image until the system runs: the initrd's programs and modules, systemd, and
/// the pages of the image's own first reads. Below it the kernel kills what it finds.
const BESIDE: u64 = 64 << 20;

/// Says so if `size` bytes do not fit beside what is there.
pub fn check(size: u64, output: &Path) -> Result<(), Failure> {
    let folder = match output.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let disk = rustix::fs::statvfs(folder).map_err(|error| {
        Failure::new(
            Kind::Output,
            format!("cannot write into {}: {error}", folder.display()),
        )
    })?;
    compare(
        size,
        available_ram(),
        disk.f_bavail.saturating_mul(disk.f_frsize),
        folder,
    )
}

fn compare(size: u64, ram: Option<u64>, free: u64, folder: &Path) -> Result<(), Failure> {
    let need = size.saturating_add(BESIDE);
    let needs = format!(
        "the image needs {} MiB ({} and {} to work in)",
        up(need),
        up(size),
        up(BESIDE)
    );
    if ram.is_some_and(|ram| ram < need) {
        let ram = ram.unwrap_or_default() >> 20;
        let words =
            format!("too little RAM: {needs}, {ram} MiB are available; give the machine more");
        return Err(Failure::new(Kind::Ram, words));
    }
    if free < need {
        let (folder, free) = (folder.display(), free >> 20);
        let words = format!(
            "too little room in {folder}: {needs}, {free} MiB are free; give the machine more RAM"
        );
        return Err(Failure::new(Kind::Ram, words));
    }
    Ok(())
}

/// In MiB, rounded up: what is needed must not look like what is there.
fn up(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// None if the kernel does not say: then the file system has the last word.
fn available_ram() -> Option<u64> {
    parse_available(&fs::read_to_string("/proc/meminfo").ok()?)
}

/// proc(5): `MemAvailable:     123456 kB`.
fn parse_available(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()?
        .checked_mul(1 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn words(ram: Option<u64>, free: u64) -> Option<String> {
        let failure = compare(234 * MIB, ram, free, Path::new("/run/kubefarm")).err()?;
        assert_eq!(failure.kind, Kind::Ram);
        Some(failure.words)
    }

    #[test]
    fn just_enough_is_enough() {
        assert_eq!(words(Some(298 * MIB), 298 * MIB), None);
        assert_eq!(words(None, 298 * MIB), None);
    }

    #[test]
    fn too_little_ram_says_both_numbers() {
        let said = "too little RAM: the image needs 298 MiB (234 and 64 to work in), 297 MiB are available; \
                    give the machine more";
        assert_eq!(words(Some(298 * MIB - 1), u64::MAX).as_deref(), Some(said));
    }

    #[test]
    fn too_little_room_says_where() {
        let said = words(Some(u64::MAX), 298 * MIB - 1).unwrap_or_default();
        assert!(
            said.starts_with("too little room in /run/kubefarm: the image needs 298 MiB"),
            "{said}"
        );
    }

    #[test]
    fn no_size_overflows() {
        assert!(compare(u64::MAX, Some(1), 1, Path::new("/")).is_err());
    }

    #[test]
    fn meminfo_is_read() {
        let text = "MemTotal:       24732088 kB\nMemFree:        19000000 kB\nMemAvailable:   23907000 kB\n";
        assert_eq!(parse_available(text), Some(23_907_000 << 10));
        assert_eq!(parse_available("MemTotal: 1 kB\n"), None);
        assert_eq!(parse_available("MemAvailable: much\n"), None);
        assert!(available_ram().is_some());
    }
}
