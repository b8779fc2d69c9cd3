//! Compiles a quantised model into a rank-1 constraint system over the scalar field of BLS12-381.
//!
//! The circuit of a model says: *I know an input (and a salt) such that the model maps it to the stated output*, with
//! the model's weights as constants or, with [`WeightsMode::Committed`], as words of a commitment that was registered by a
//! [`RegistrationCircuit`]. Its public inputs are always three: two challenges r and b, which are drawn when the
//! committed segment is fixed, and f, the statement's words folded by r. What the model computes is defined by
//! `opensand-nn` alone; a property test holds the two together.
//!
//! # Segments
//!
//! Private variables are in two segments, and in a third where weights are committed to: their packed words. *Committed* are the input, the salt, every layer's outputs, quotients, limbs and the
//! multiplicities of tables: all that a look-up or a word of the statement is made of. A proof fixes them before r and b are
//! drawn. The *rest* is determined by them and by r: bits, inverses, hash states, the fold. Values come in two phases:
//! [`InferenceCircuit::commit`], then [`InferenceCircuit::assign`] with the challenges.
//!
//! # Constraints
//!
//! That a value is in a range is proven by its bits or by a look-up in a table that the whole circuit shares, whichever
//! makes the circuit smaller; the cost model decides for each layer ([`Part`] says what it chose). W is the width of an
//! accumulator, s its shift, k the width of the range table, 8 to 13.
//!
//! | part | by bits | by look-ups |
//! |---|---|---|
//! | challenges | 2 | 2 |
//! | an input value | 8 | 1 |
//! | hash of an input, per 8 words with the salt | 387, less in the first block where it is padding | the same |
//! | Linear, Conv2d, DilatedConv2d, AvgPool, Add: the sums | 0 | 0 |
//! | their requantisation where nothing can saturate | W | ⌈s/k⌉ + 1 |
//! | their requantisation with its clamp or ReLU | W + 2 to W + 6 | ⌈s/k⌉ + 2 |
//! | ReLU on its own | up to 9 | 2 |
//! | a table look-up of 8 bits (7 bits) | 45 (29) | 2 |
//! | max-pool of n values | up to 10·(n − 1) | 2n − 1 |
//! | max-pool of n accumulators that nothing else reads, and their requantisation | | n·⌈W/k⌉ + n − 1, and one requantisation |
//! | Reshape, Concat, Transpose | 0 | 0 |
//! | MatMul: a sum of n products, κ = ⌊253/W⌋ packed into one, before its requantisation | W + n/κ | ⌈W/k⌉ + n/κ |
//! | Softmax with a reciprocal of b bits: a value; a row | b + 54; up to 3b + 1 | 4 + ⌈b/k⌉; up to 3⌈b/k⌉ + 1 |
//! | LayerNormalization: a value, before its requantisation; a row | 2; up to 130 | 2; up to 3 + ⌈24/k⌉ + 2⌈50/k⌉ |
//! | Embedding of a token in v rows of n values | v + 1 + n | the same |
//! | a word of the statement: 31 public input or output values, or the hash | 1, and 1 for all | the same |
//! | a table | | 1, and 1 an entry |
//!
//! Committed weights make sums cost constraints, and requantisation more, since nothing is known of an accumulator before:
//!
//! | part | by bits | by look-ups |
//! |---|---|---|
//! | a word of weights, packed for up to κ outputs, and of biases | 1 | 1 |
//! | Linear, Conv2d, DilatedConv2d: κ accumulators, outputs or positions that share weights, of n taps | n | n |
//! | their requantisation | W + 6 or so | ⌈s/k⌉ + 2, and the limbs of a quotient |
//! | LayerNormalization's weighing of κ rows; Embedding of κ elements from v rows | 1; v | the same |
//! | an element of an embedding | 8 | 1 |
//! | registration: a weight or two, a byte of a bias | | 1 |
//!
//! κ is about 10: 253 bits by the width of a digit, which the module `packing` derives. Widths are declared
//! ([`DeclaredWidths`]), so that circuits depend on the architecture and not on its weights.
//!
//! Where weights are constants, widths come from the static bounds of each channel ([`opensand_nn::Model::accumulator_bounds`]), so a narrow channel
//! costs less. Every variable is determined by the input, the salt and the challenges, but for look-ups of what is not in
//! a table, which hold with negligible probability over r: there is one witness per execution.
//!
//! The models in `zk/models`, with public (hashed) input; the committed segment and the rest are of the chosen circuit:
//!
//! | model | all by bits | domain | as chosen | domain | committed | rest |
//! |---|---|---|---|---|---|---|
//! | digits | 2 216 (2 586) | 2^12 (2^12) | 2 025 (2 395) | 2^11 (2^12) | 464 (465) | 1 752 (2 122) |
//! | LeNet-5 | 190 851 (192 371) | 2^18 (2^18) | 27 308 (28 828) | 2^15 (2^15) | 15 850 (15 851) | 25 698 (27 218) |
//! | residual network | 594 208 (599 137) | 2^20 (2^20) | 99 263 (104 192) | 2^17 (2^17) | 70 409 (70 410) | 99 258 (104 187) |
//! | transformer | 772 951 (773 321) | 2^20 (2^20) | 122 576 (122 946) | 2^17 (2^17) | 82 361 (82 362) | 116 678 (117 048) |
//!
//! With committed weights and public input:
//!
//! | model | words | as chosen | domain | committed | rest | registration | domain |
//! |---|---|---|---|---|---|---|---|
//! | digits | 781 | 4 500 | 2^13 | 542 | 4 202 | 5 273 | 2^13 |
//! | LeNet-5 | 7 152 | 93 982 | 2^17 | 31 810 | 90 956 | 62 193 | 2^16 |
//! | residual network | 15 634 | 525 120 | 2^20 | 143 720 | 518 595 | 78 425 | 2^17 |
//! | transformer | 12 505 | 303 334 | 2^19 | 140 662 | 294 787 | 75 993 | 2^17 |

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod basis;
mod bits;
mod builder;
mod circuit;
mod cost;
mod embedding;
mod error;
mod images;
mod images_bits;
mod layer_normalization;
mod layers;
mod linear;
mod logup;
mod matmul;
mod max_pool;
mod packed_sums;
mod packing;
mod plan;
mod poseidon;
mod range;
mod registration;
mod requantise;
mod requantise_bits;
mod requantise_look_up;
mod softmax;
mod statement;
mod sums;
mod synthesis;
mod tables;
#[cfg(test)]
mod tests;
mod widths;
mod wire;

pub use builder::{Part, MAX_CONSTRAINTS};
pub use circuit::{CircuitSize, Execution, InferenceCircuit, MAX_TERMS};
pub use error::{CircuitError, MockError};
pub use registration::RegistrationCircuit;
pub use widths::{DeclaredWidths, LayerWidths, WeightsMode};
