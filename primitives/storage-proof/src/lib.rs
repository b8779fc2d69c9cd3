//! Commitments to stored data, and proofs of its possession.
//!
//! A shard is cut into segments of at most 8 MiB, a segment into leaves of 256 bytes. A segment's *root* commits to its
//! bytes and their number. The chain draws leaves, by size, over everything that a provider holds, and *one* proof
//! shows them all; its size and the work to verify it do not grow with the amount held. `PROTOCOL.md` beside this crate
//! has the construction, the encoding and the argument why that is enough.
//!
//! ```text
//! on chain:   seed ──draw──▶ leaf numbers ──ShardLayout──▶ Claim { root, leaves, index } ──┐
//!                                                          PossessionProof (SCALE) ────────┴─▶ verify
//! natively:   shard ──SegmentCommitter──▶ SegmentTree: root, stored hashes ──prove(claims, source)──▶ PossessionProof
//! ```
//!
//! The upper half is `no_std` and hashes through [`Hasher`], so that a runtime can use its host functions; the lower
//! half needs the feature `std`. [`PossessionScheme`] is what a pallet should ask for: another commitment can take this
//! one's place behind it. No function panics, whatever bytes it is given.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]
// Allowed in `prover/avx512.rs` alone, which calls what not every processor has.
#![deny(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod claims;
mod draw;
mod hash;
mod layout;
mod proof;
#[cfg(feature = "std")]
mod prover;
mod scheme;
mod verify;

pub use claims::Claim;
pub use draw::draw;
#[cfg(feature = "std")]
pub use hash::Native;
pub use hash::{Hash, Hasher};
pub use layout::{ShardLayout, LEAF_BYTES, MAX_SAMPLES, SEGMENT_BYTES, SEGMENT_LEAVES};
pub use proof::{proof_bound, PossessionProof};
#[cfg(feature = "std")]
pub use prover::{
	prove, CommitError, ProveError, SegmentCommitter, SegmentSource, SegmentTree, TreeError, GROUP_BYTES,
};
pub use scheme::{PossessionScheme, SegmentMerkle};
pub use verify::{verify, PossessionError};
