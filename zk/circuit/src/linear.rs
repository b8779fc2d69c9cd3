//! Variables and their linear combinations.

use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_zk_r1cs::Segments;

/// A column of the constraint system, by segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Variable {
	/// The constant one.
	One,
	/// A public input.
	Public(u32),
	/// A private variable that is fixed before the challenges are drawn.
	Committed(u32),
	/// A private variable that was committed to when the model was registered: a word of its weights.
	Weights(u32),
	/// Any other private variable.
	Rest(u32),
}

impl Variable {
	/// Its place in z.
	pub(crate) fn column(self, segments: &Segments) -> usize {
		match self {
			Variable::One => 0,
			Variable::Public(index) => 1 + index as usize,
			Variable::Committed(index) => segments.committed_columns().start + index as usize,
			Variable::Weights(index) => segments.weight_columns().start + index as usize,
			Variable::Rest(index) => segments.rest_columns().start + index as usize,
		}
	}
}

/// A sum of variables with coefficients, in any order; a variable may occur more than once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lc(pub(crate) Vec<(Fr, Variable)>);

impl Lc {
	/// The empty sum.
	pub(crate) fn zero() -> Self {
		Self::default()
	}

	/// A constant.
	pub(crate) fn constant(value: Fr) -> Self {
		Self(vec![(value, Variable::One)])
	}

	/// From integer coefficients; zeros are dropped.
	pub(crate) fn integers(constant: i64, terms: impl IntoIterator<Item = (i64, Variable)>) -> Self {
		Self::zero().plus(constant, terms)
	}

	/// self + constant + Σ terms.
	pub(crate) fn plus(mut self, constant: i64, terms: impl IntoIterator<Item = (i64, Variable)>) -> Self {
		let constant = std::iter::once((constant, Variable::One));
		let terms = constant.chain(terms).filter(|(coefficient, _)| *coefficient != 0);
		self.0
			.extend(terms.map(|(coefficient, variable)| (Fr::from(coefficient), variable)));
		self
	}

	/// self + factor · other.
	pub(crate) fn plus_scaled(mut self, factor: Fr, other: &Lc) -> Self {
		self.0.extend(
			other
				.0
				.iter()
				.map(|(coefficient, variable)| (factor * coefficient, *variable)),
		);
		self
	}

	/// factor · self.
	pub(crate) fn scaled(mut self, factor: Fr) -> Self {
		for (coefficient, _) in &mut self.0 {
			*coefficient *= factor;
		}
		self
	}

	/// 1 − self.
	pub(crate) fn complement(&self) -> Self {
		Self::constant(Fr::ONE).plus_scaled(-Fr::ONE, self)
	}

	/// Whether all variables are committed.
	pub(crate) fn is_committed(&self) -> bool {
		let mut variables = self.0.iter().map(|(_, variable)| variable);
		variables.all(|variable| matches!(variable, Variable::One | Variable::Committed(_)))
	}

	/// Sums the terms of one variable, and drops those that cancel.
	pub(crate) fn compact(&mut self) {
		self.0.sort_by_key(|(_, variable)| *variable);
		self.0.dedup_by(|(next, variable), (sum, previous)| {
			let same = variable == previous;
			if same {
				*sum += *next;
			}
			same
		});
		self.0.retain(|(coefficient, _)| *coefficient != Fr::ZERO);
	}
}

impl From<Variable> for Lc {
	fn from(variable: Variable) -> Self {
		Self(vec![(Fr::ONE, variable)])
	}
}
