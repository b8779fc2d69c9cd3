//! The model format of OpenSand and the one integer semantics it has.
//!
//! A model is a bounded list of operators over int8 tensors with int32 accumulators. What it computes is defined
//! here bit for bit; the worker's fast path, the circuit and the on-chain checks all equal [`Model::evaluate`].
//!
//! - [`Architecture`]: shapes, operators, requantisation shifts. Its encoding is hashed to the architecture id.
//! - [`Weights`]: int8 weights and int32 biases, hashed apart from the architecture.
//! - [`Model`]: both together, checked: shapes agree and no accumulator can leave int32.
//! - [`Trace`]: every accumulator and activation of one evaluation, the witness of a circuit.
//! - `FastModel` (feature `std`): the same function on vector instructions and threads.
//!
//! `README.md` in this crate states the semantics and the encoding.

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
#![deny(missing_docs)]

extern crate alloc;

mod architecture;
mod bounds;
mod embedding;
mod encoding;
mod error;
mod evaluate;
#[cfg(feature = "std")]
#[allow(
	clippy::indexing_slicing,
	clippy::arithmetic_side_effects,
	reason = "native only; Architecture::new and Model::new have checked every size"
)]
mod fast;
mod layer_normalization;
pub mod limits;
mod matmul;
mod model;
mod operator;
mod shape;
mod softmax;
#[cfg(feature = "testing")]
#[allow(
	clippy::indexing_slicing,
	clippy::arithmetic_side_effects,
	reason = "for tests only: a fault there should panic"
)]
pub mod testing;
mod trace;
mod weights;

pub use architecture::{Architecture, Layer};
pub use bounds::Interval;
pub use embedding::Embedding;
pub use error::{EvaluateError, ModelError};
pub use evaluate::requantise;
#[cfg(feature = "std")]
pub use fast::FastModel;
pub use layer_normalization::LayerNormalization;
pub use matmul::MatMul;
pub use model::Model;
pub use operator::{
	Activation, Add, AvgPool, Concat, Conv2d, DilatedConv2d, Linear, Operator, TensorIndex, Window,
};
pub use shape::Shape;
pub use softmax::Softmax;
pub use trace::{LayerTrace, Trace};
pub use weights::{LayerWeights, Weights};

#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
struct Readme;
