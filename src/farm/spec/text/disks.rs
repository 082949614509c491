//! Names of disks and of file systems, sizes of journals.

use super::{Text, written};
use crate::values::Refusal;

written! {
    /// The label of a file system, as ext4 can have it.
    DiskLabel;
    /// A pattern of names that udev gives to disks, below `/dev/disk`.
    DiskName;
    /// A size as journald.conf(5) has it.
    JournalSize;
}

impl Text for DiskLabel {
    const EXAMPLE: &'static str = "kubefarm";

    /// mke2fs(8): 16 bytes at most. Letters that blkid would escape are left out.
    fn pattern() -> String {
        "[A-Za-z0-9._-]{1,16}".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        if (1..=16).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(DiskLabel(text.into()));
        }
        let refusal = Refusal::new(format!("`{text}` is not a label of a file system here"));
        Err(refusal.help("up to 16 letters, digits, `.`, `_` and `-`"))
    }
}

impl Text for DiskName {
    const EXAMPLE: &'static str = "by-path/pci-0000:3b:00.0-nvme-1";

    /// The names of udev(7), and the signs of glob(7).
    fn pattern() -> String {
        "by-[a-z]+/[A-Za-z0-9._:+@*?-]+".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        let name = text
            .strip_prefix("by-")
            .and_then(|rest| rest.split_once('/'));
        let is_name = name.is_some_and(|(kind, name)| {
            !kind.is_empty()
                && kind.bytes().all(|byte| byte.is_ascii_lowercase())
                && !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| is_plain(byte) || b":+@*?".contains(&byte))
        });
        if is_name {
            return Ok(DiskName(text.into()));
        }
        let refusal = Refusal::new(format!("`{text}` is not a name of disks"));
        Err(refusal.help(
            "a name below /dev/disk, with * and ?: by-path/pci-0000:3b:00.0-nvme-1, by-id/nvme-*",
        ))
    }
}

impl Text for JournalSize {
    const EXAMPLE: &'static str = "64M";

    fn pattern() -> String {
        "[0-9]{1,15}[KMGT]?".to_owned()
    }

    fn parse(text: String) -> Result<Self, Refusal> {
        let digits = text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(&text);
        if (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(JournalSize(text.into()));
        }
        let refusal = Refusal::new(format!("`{text}` is not a size of a journal"));
        Err(refusal.help("bytes, or a number with K, M, G or T: 64M"))
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}
