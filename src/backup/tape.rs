//! The one form of tar that backups have (POSIX.1-1988, `ustar`): files without owners, times or links, each header in
//! the only way to write it. So a reader can compare headers byte by byte, and no flipped bit goes unseen.

use tar::{EntryType, Header};

use super::error::Flaw;

/// The bytes of a header, and what content is filled up to.
pub(super) const BLOCK: usize = 512;
/// Only who restores may read what is unpacked.
const MODE: u32 = 0o600;

/// The header of a file.
///
/// # Errors
/// For a path that does not fit: 100 bytes for its last part, 155 for those before.
pub(super) fn header(path: &str, size: u64) -> Result<Header, Flaw> {
    let mut header = Header::new_ustar();
    header.set_path(path).map_err(Flaw::Unwritable)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(MODE);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

/// The path and the size in a header; `None` if we did not write it.
pub(super) fn read_header(block: &[u8; BLOCK]) -> Option<(String, u64)> {
    let found = Header::from_byte_slice(block);
    let path = String::from_utf8(found.path_bytes().into_owned()).ok()?;
    let size = found.entry_size().ok()?;
    let wanted = header(&path, size).ok()?;
    (wanted.as_bytes() == block).then_some((path, size))
}

/// How many zero bytes follow content of this size.
pub(super) fn padding(size: u64) -> usize {
    let block = BLOCK as u64;
    // Less than a block.
    ((block - size % block) % block) as usize
}
