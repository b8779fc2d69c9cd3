//! A small integer in the circuit.

use crate::linear::{Lc, Variable};
use opensand_nn::Interval;

/// An integer that the circuit proves to lie in `interval`: a constant, or a variable plus a constant.
///
/// The variable is the distance from the least value, so that it is small and not negative in the field: multi-scalar
/// multiplications are fast on small scalars.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
	/// The variable part; none for a constant.
	pub(crate) variable: Option<Variable>,
	/// The constant part.
	pub(crate) offset: i64,
	/// Where the value lies on every input.
	pub(crate) interval: Interval,
	/// The value in this execution; without meaning in set-up.
	pub(crate) value: i64,
}

impl Wire {
	/// The same value on every input.
	pub(crate) fn constant(value: i32) -> Self {
		Self {
			variable: None,
			offset: value.into(),
			interval: Interval::new(value, value),
			value: value.into(),
		}
	}

	/// The value as a linear combination.
	pub(crate) fn lc(&self) -> Lc {
		Lc::integers(self.offset, self.variable.map(|variable| (1, variable)))
	}
}

/// A weighted sum of wires and a constant, collected term by term.
#[derive(Default)]
pub(crate) struct WireSum {
	constant: i64,
	terms: Vec<(i64, Variable)>,
}

impl WireSum {
	/// A sum that starts with a constant.
	pub(crate) fn new(constant: i64) -> Self {
		Self {
			constant,
			terms: Vec::new(),
		}
	}

	/// Adds factor · wire.
	pub(crate) fn add(&mut self, factor: i64, wire: &Wire) {
		self.constant += factor * wire.offset;
		if let Some(variable) = wire.variable {
			self.terms.push((factor, variable));
		}
	}

	pub(crate) fn into_lc(self) -> Lc {
		Lc::integers(self.constant, self.terms)
	}
}
