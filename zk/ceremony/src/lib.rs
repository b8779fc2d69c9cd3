//! The set-up ceremony of OpenSand's Groth16: keys whose secrets nobody knows if one participant was honest.
//!
//! ```text
//! Phase 1   Powers::new ─▶ contribute … ─▶ verify ─▶ VerifiedPowers     or: import (powersoftau) ─▶ verify
//! Phase 2   VerifiedPowers, Circuit … ─▶ Ceremony::new ─▶ contribute … ─▶ close ─▶ verify ─▶ VerifiedCeremony ─▶ into_keys
//! ```
//!
//! - [`Powers`] are powers of τ with α and β, for any circuit of half as many rows. They are made here, or imported from the
//!   `powersoftau` ceremonies for BLS12-381.
//! - A [`Ceremony`] is for one or more [`Circuit`]s. Each participant multiplies δ and δ₁ of each circuit, and the δ_w that
//!   circuits with weights share, by secret factors. Each key has the domain of its circuit; δ_w of the larger ones is multiplied along.
//! - [`verify`] recomputes what contributions started from and checks each of them; it uses nothing of the code that contributes.
//!   Its transcript hash is what keys name ([`KeyOrigin::Ceremony`](opensand_zk_verifier::KeyOrigin)).
//!
//! Steps, checks and security argument are in `zk/ceremony/PROTOCOL.md`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod beacon;
mod ceremony;
mod circuit;
mod columns;
mod contribute;
mod contribution;
mod entropy;
mod file;
mod finish;
mod hash;
mod initial;
mod knowledge;
mod lagrange;
mod points;
mod powers;
mod ratio;
mod reader;
#[cfg(test)]
mod tests;
mod transcript;
mod verify;

pub use ceremony::{Ceremony, MAX_CONTRIBUTIONS};
pub use circuit::Circuit;
pub use contribute::ContributeError;
pub use contribution::{Beacon, MAX_BEACON_ITERATIONS_LOG2, MAX_BEACON_LEN};
pub use entropy::Entropy;
pub use finish::{FinishError, VerifiedCeremony};
pub use hash::Digest;
pub use initial::{InitialError, MAX_CIRCUITS};
pub use points::PointFault;
pub use powers::{
	import, ImportError, Powers, PowersBase, PowersError, PowersStart, VerifiedPowers, MAX_POWERS_LOG2,
};
pub use reader::FileError;
pub use verify::{verify, Part, VerifyError};
