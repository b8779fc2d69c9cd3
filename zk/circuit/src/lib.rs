//! Compiles a quantised model into a rank-1 constraint system over the scalar field of BLS12-381.
//!
//! The circuit of a model says: *I know an input (and a salt) such that the model maps it to the stated output*, with
//! the model's weights as constants. Its public inputs are always three: two challenges r and b, which are drawn when the
//! committed segment is fixed, and f, the statement's words folded by r. What the model computes is defined by
//! `opensand-nn` alone; a property test holds the two together.
//!
//! | part | constraints |
//! |---|---|
//! | challenges | 2 |
//! | an input value (range check) | 8 |
//! | hash of an input, per 8 words with the salt | 387, less in the first block where it is padding |
//! | Linear, Conv2d, DilatedConv2d, AvgPool, Add: the sums | 0 |
//! | their requantisation, W = accumulator width | W when nothing can saturate, else W + 2 to W + 6 |
//! | ReLU on its own | up to 9 |
//! | a table look-up of 8 bits (7 bits) | 45 (29) |
//! | max-pool of n values | up to 10·(n − 1) |
//! | Reshape, Concat, Transpose | 0 |
//! | a word of the statement: 31 public input or output values, or the hash | 1 |
//!
//! Widths come from the static bounds of each channel ([`opensand_nn::Model::accumulator_bounds`]), so a narrow channel
//! costs less. Every variable is determined by the input and the salt: there is one witness per execution.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod bits;
mod builder;
mod circuit;
mod cost;
mod error;
mod images;
mod images_bits;
mod layers;
mod linear;
mod logup;
mod max_pool;
mod plan;
mod poseidon;
mod range;
mod requantise;
mod requantise_bits;
mod requantise_look_up;
mod statement;
mod sums;
mod synthesis;
mod tables;
mod wire;

pub use builder::{Part, MAX_CONSTRAINTS};
pub use circuit::{CircuitSize, Execution, InferenceCircuit, MAX_TERMS};
pub use error::{CircuitError, MockError};
