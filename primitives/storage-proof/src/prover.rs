//! The native half: committing to data, and proving that one has them.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod commit;
mod many;
mod prove;
mod tree;

pub use commit::{CommitError, SegmentCommitter};
pub use prove::{prove, ProveError, SegmentSource};
pub use tree::{SegmentTree, TreeError};

use crate::LEAF_BYTES;

/// Levels of the tree that a stored [`SegmentTree`] leaves out, counted from the leaves.
const GROUP_LEVELS: u32 = 6;
/// Leaves under one hash of a stored tree.
const GROUP_LEAVES: u32 = 1 << GROUP_LEVELS;
/// Bytes under one hash of a stored tree: what proving a leaf reads and hashes again.
pub const GROUP_BYTES: u32 = GROUP_LEAVES * LEAF_BYTES;
