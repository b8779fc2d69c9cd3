//! Verification of Groth16 proofs of inference on BLS12-381, without `std`. The witness is divided into segments, and a
//! challenge is drawn from a commitment to one of them.
//!
//! The chain, the prover (a proof never leaves it before it verified itself), the command line and the circuit
//! share this crate: what a statement is, how it becomes field elements, how keys and proofs are encoded, and the
//! hash that hides an input are defined here once. The argument why this is sound is in `zk/PROTOCOL.md`.
//!
//! ```text
//! bytes ──encoding──▶ points ──key, proof, weights──▶ VerifyingKey, Proof, WeightsCommitment ─┐
//! Statement, D₁, D_w ──transcript──▶ challenges r, b ──fold──▶ public inputs (r, b, f) ───────┴─▶ verify
//! ```
//!
//! Arithmetic goes through [`Curve`]: [`Host`] calls the node's BLS12-381 host functions, [`Native`] computes in
//! place. No function of this crate panics, whatever bytes it is given.

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
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod compressed;
mod curve;
mod encoding;
pub mod hash;
mod key;
pub mod poseidon;
mod proof;
mod statement;
mod transcript;
mod verify;
mod weights;

pub use ark_bls12_381::{Fr, G1Affine, G2Affine};
pub use curve::{Curve, Host, Native};
pub use encoding::{encode_g1, encode_g2, PointError, G1_LEN, G2_LEN};
pub use key::{KeyError, KeyG2, KeyOrigin, VerifyingKey, MAX_KEY_LEN, MAX_WORDS};
pub use proof::{Proof, ProofError, COMPRESSED_PROOF_LEN, PROOF_LEN};
pub use statement::{
	pack_words, word_count, Binding, InputVisibility, Statement, StatementError, StatementInput,
	StatementShape, BYTES_PER_WORD,
};
pub use transcript::{fold, Challenges, PUBLIC_INPUTS};
pub use verify::{verify, verify_batch, BatchItem, VerifyError};
pub use weights::WeightsCommitment;
