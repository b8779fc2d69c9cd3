//! Multi-scalar multiplication over BLS12-381, for provers: Σ sᵢ·Pᵢ in G1 and G2.
//!
//! ```text
//! z ──Scalars::new──▶ Scalars ─┬─ multiply(&Bases<G1>) ──▶ Σ zᵢ·aᵢ
//!                              ├─ multiply(&Bases<G1>) ──▶ Σ zᵢ·lᵢ
//!                              └─ multiply(&Bases<G2>) ──▶ Σ zᵢ·bᵢ
//! ```
//!
//! - [`Scalars`] looks at every scalar once: zeros are dropped, r − x with a small x becomes −x, what fits 64 bits stays a
//!   machine integer, and the rest is split along the curves' endomorphisms. All multiplications by the same scalars share it.
//! - [`Bases`] are points without identities, each with the index of its scalar.
//! - [`multiply`] is Pippenger's algorithm with signed digits. Points of a bucket are added pairwise as a tree in affine
//!   coordinates, with one field inversion for a thousand additions. A scalar takes part in as many windows as its size
//!   needs, so that bits and bytes cost one addition each; sums of ones are a tree in a single bucket.
//! - [`FixedBase`] multiplies one point by many scalars, for set-ups.
//!
//! Equal points, opposite points and identities are handled everywhere: results are exact for any input.
//!
//! # Side channels
//!
//! Everything here takes time, and touches memory, that depend on the scalars. A prover multiplies its own witness on its own
//! machine; whoever can time a proof from outside sees one duration, to which the sizes of all values contribute together.
//! Do not use this crate to multiply a long-lived key, nor where an untrusted party shares the processor's caches. Buffers of
//! scalars and digits are erased when they are dropped; sums of points, and what arkworks copies, are not.

#![deny(unsafe_code)]
#![warn(missing_docs)]

mod bases;
mod batch_affine;
mod buckets;
mod curve;
mod digits;
mod fixed_base;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod inverse;
mod multiply;
mod prefetch;
mod scalars;
mod split;
#[cfg(target_arch = "x86_64")]
mod vectors;
mod window;

pub use bases::{Bases, BasesError};
pub use curve::Curve;
pub use fixed_base::FixedBase;
pub use multiply::multiply;
pub use scalars::Scalars;
