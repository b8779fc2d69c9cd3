//! The protocol once more, slow and obvious: a circuit by hand, a set-up that keeps its trapdoors, a prover that computes
//! with discrete logarithms, and a verifier that reads `PROTOCOL.md` literally. Nothing here is shared with the crate but
//! the types of statements.

pub mod circuit;
pub mod polynomial;
pub mod prover;
pub mod setup;
pub mod verifier;
