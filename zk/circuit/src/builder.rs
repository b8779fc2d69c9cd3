//! The one place where variables and constraints are made.

use ark_bls12_381::Fr;
use ark_ff::Field;
use ark_relations::gr1cs::{ConstraintSystemRef, LinearCombination, SynthesisError, Variable};
use std::ops::Range;

pub(crate) type Lc = LinearCombination<Fr>;
pub(crate) type Result<T> = std::result::Result<T, SynthesisError>;

/// The most constraints and public inputs that a circuit may have together: a domain of 2^22.
pub const MAX_CONSTRAINTS: u64 = 1 << 22;

/// A named stretch of constraints: a layer, or a part of the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
	/// "binding", "input", "input hash", "output", or a layer as `layer <index> (<operator>)`.
	pub name: String,
	/// The part's constraints, counted from 0 over the circuit.
	pub constraints: Range<usize>,
}

/// Makes variables and constraints, counts them, and knows which part of the circuit it is in.
///
/// The constraint system's mode decides what is really built: linear combinations are given as closures, which run only
/// where matrices are wanted, and values are ignored in set-up.
pub(crate) struct Builder {
	cs: ConstraintSystemRef<Fr>,
	constraints: usize,
	parts: Vec<Part>,
}

impl Builder {
	pub(crate) fn new(cs: ConstraintSystemRef<Fr>) -> Self {
		Self {
			cs,
			constraints: 0,
			parts: Vec::new(),
		}
	}

	/// Starts a new part; what follows belongs to it.
	pub(crate) fn part(&mut self, name: impl Into<String>) {
		self.close_part();
		self.parts.push(Part {
			name: name.into(),
			constraints: self.constraints..self.constraints,
		});
	}

	fn close_part(&mut self) {
		if let Some(part) = self.parts.last_mut() {
			part.constraints.end = self.constraints;
		}
	}

	/// The parts in order and the number of constraints.
	pub(crate) fn finish(mut self) -> (Vec<Part>, usize) {
		self.close_part();
		(self.parts, self.constraints)
	}

	/// Whether linear combinations are wanted.
	pub(crate) fn wants_matrices(&self) -> bool {
		self.cs.should_construct_matrices()
	}

	/// A public variable.
	pub(crate) fn instance(&mut self, value: Fr) -> Result<Variable> {
		self.cs.new_input_variable(|| Ok(value))
	}

	/// A private variable.
	pub(crate) fn witness(&mut self, value: Fr) -> Result<Variable> {
		self.cs.new_witness_variable(|| Ok(value))
	}

	/// A private variable with a small value.
	pub(crate) fn small_witness(&mut self, value: i64) -> Result<Variable> {
		self.cs.new_witness_variable(|| Ok(Fr::from(value)))
	}

	/// a · b = c. Fails beyond [`MAX_CONSTRAINTS`], before the memory of larger circuits is taken.
	pub(crate) fn enforce(
		&mut self,
		a: impl FnOnce() -> Lc,
		b: impl FnOnce() -> Lc,
		c: impl FnOnce() -> Lc,
	) -> Result<()> {
		self.constraints += 1;
		if self.constraints as u64 > MAX_CONSTRAINTS {
			return Err(SynthesisError::PolynomialDegreeTooLarge);
		}
		self.cs.enforce_r1cs_constraint(a, b, c)
	}

	/// lc = 0.
	pub(crate) fn enforce_zero(&mut self, lc: impl FnOnce() -> Lc) -> Result<()> {
		self.enforce(lc, || Variable::One.into(), Lc::zero)
	}

	/// lc ∈ {0, 1}.
	pub(crate) fn enforce_boolean(&mut self, lc: impl FnOnce() -> Lc) -> Result<()> {
		let lc = if self.wants_matrices() { lc() } else { Lc::zero() };
		let complement = if self.wants_matrices() {
			complement(&lc)
		} else {
			Lc::zero()
		};
		self.enforce(|| lc, || complement, Lc::zero)
	}
}

/// 1 − lc.
pub(crate) fn complement(lc: &Lc) -> Lc {
	let mut terms = vec![(Fr::ONE, Variable::One)];
	terms.extend(
		lc.iter()
			.map(|(coefficient, variable)| (-*coefficient, *variable)),
	);
	LinearCombination(terms)
}

/// A linear combination from integer coefficients; zeros are dropped.
pub(crate) fn integer_lc(constant: i64, terms: impl IntoIterator<Item = (i64, Variable)>) -> Lc {
	let constant = std::iter::once((constant, Variable::One));
	LinearCombination(
		constant
			.chain(terms)
			.filter(|(coefficient, _)| *coefficient != 0)
			.map(|(coefficient, variable)| (Fr::from(coefficient), variable))
			.collect(),
	)
}
