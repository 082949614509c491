//! What belongs to a farm, where its members are, and who works on it.

mod applyset;
mod claims;
pub mod inventory;
mod lock;
mod process;

pub use applyset::{GroupKind, ID, NotOurs, PART_OF, Parent, is_ours};
pub use claims::{claims, is_claim_of};
pub use inventory::{InventoryError, Kept, Member};
pub use lock::{Lock, LockError};
