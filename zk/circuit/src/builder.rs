//! The one place where variables and constraints are made.

use crate::{
	error::CircuitError,
	linear::{Lc, Variable},
	logup::{LookUps, TableId},
};
use ark_bls12_381::Fr;
use ark_ff::AdditiveGroup;
use opensand_zk_r1cs::{Matrices, MatricesBuilder, Segments};
use opensand_zk_verifier::{Challenges, PUBLIC_INPUTS};
use std::ops::Range;

pub(crate) type Result<T> = std::result::Result<T, CircuitError>;

/// The most constraints and public inputs that a circuit may have together: a domain of 2^22.
pub const MAX_CONSTRAINTS: u64 = 1 << 22;

/// A named stretch of constraints: a layer, or a part of the statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
	/// "weights", "challenges", "input", "input hash", "statement", a layer as `layer <index> (<operator>)`, two layers that are proven
	/// as one as `layers <index> (<operator>) and <index> (MaxPool)`, or a table's name.
	pub name: String,
	/// The part's constraints, counted from 0 over the circuit.
	pub constraints: Range<usize>,
	/// Whether values are proven to be in range by their bits.
	pub bits: bool,
	/// The tables that values are looked up in, by name.
	pub tables: Vec<String>,
}

/// What one run over the circuit is to yield.
enum Yield {
	/// How many variables and constraints there are.
	Counts,
	/// The rows of the matrices.
	Rows {
		rows: Box<MatricesBuilder>,
		segments: Segments,
	},
	/// The values of the committed segment.
	Committed(Vec<Fr>),
	/// The values of the rest, with the challenges known.
	Rest(Vec<Fr>),
}

/// Makes variables and constraints, counts them, and knows which part of the circuit it is in.
///
/// The same code runs for counts, matrices and values. Linear combinations are closures, which run only where matrices are
/// wanted; where they are not, only values are computed, and of these only the segment that is asked for is kept.
///
/// No public column is ever in C: [`UNIT`](Self::UNIT) stands there for the constant one. A prover may then take C's part
/// of the quotient from the products A·z ∘ B·z alone.
pub(crate) struct Builder {
	output: Yield,
	/// Zeros before they are known.
	challenges: Challenges,
	/// The most constraints.
	limit: u64,
	constraints: usize,
	committed: u32,
	weights: u32,
	rest: u32,
	parts: Vec<Part>,
	/// Tables that the current part has used.
	part_tables: Vec<TableId>,
	/// Tables and what has been looked up in them; see the module `logup`.
	pub(crate) look_ups: Vec<LookUps>,
}

impl Builder {
	/// r among the public inputs.
	pub(crate) const R: Variable = Variable::Public(0);
	/// b among the public inputs.
	pub(crate) const B: Variable = Variable::Public(1);
	/// The fold among the public inputs.
	pub(crate) const FOLD: Variable = Variable::Public(2);
	/// A private variable that equals one. It is the first of the rest: see [`unit`](Self::unit).
	pub(crate) const UNIT: Variable = Variable::Rest(0);

	fn new(output: Yield, challenges: Challenges) -> Self {
		Self {
			output,
			challenges,
			limit: MAX_CONSTRAINTS,
			constraints: 0,
			committed: 0,
			weights: 0,
			rest: 0,
			parts: Vec::new(),
			part_tables: Vec::new(),
			look_ups: Vec::new(),
		}
	}

	/// Counts only.
	pub(crate) fn counting() -> Self {
		Self::new(Yield::Counts, UNKNOWN)
	}

	/// Counts without a limit: of what may never be built.
	pub(crate) fn surveying() -> Self {
		Self {
			limit: u64::MAX,
			..Self::counting()
		}
	}

	/// Makes matrices with these columns, as they have been counted.
	pub(crate) fn of_matrices(segments: Segments) -> Self {
		let rows = Box::new(MatricesBuilder::new(segments));
		Self::new(Yield::Rows { rows, segments }, UNKNOWN)
	}

	/// Computes the committed segment.
	pub(crate) fn of_committed() -> Self {
		Self::new(Yield::Committed(Vec::new()), UNKNOWN)
	}

	/// Computes the rest.
	pub(crate) fn of_rest(challenges: Challenges) -> Self {
		Self::new(Yield::Rest(Vec::new()), challenges)
	}

	/// Starts a new part; what follows belongs to it.
	pub(crate) fn part(&mut self, name: impl Into<String>) {
		self.close_part();
		self.parts.push(Part {
			name: name.into(),
			constraints: self.constraints..self.constraints,
			bits: false,
			tables: Vec::new(),
		});
	}

	/// Ends the current part.
	pub(crate) fn close_part(&mut self) {
		let tables = std::mem::take(&mut self.part_tables);
		if let Some(part) = self.parts.last_mut() {
			part.constraints.end = self.constraints;
			part.tables
				.extend(tables.into_iter().map(|id| self.look_ups[id.0].table.name()));
		}
	}

	/// Notes that the current part looks up in a table.
	pub(crate) fn note_table(&mut self, id: TableId) {
		if !self.part_tables.contains(&id) {
			self.part_tables.push(id);
		}
	}

	/// Notes that the current part decomposes values into bits.
	pub(crate) fn note_bits(&mut self) {
		if let Some(part) = self.parts.last_mut() {
			part.bits = true;
		}
	}

	/// The number of constraints so far.
	pub(crate) fn constraints(&self) -> usize {
		self.constraints
	}

	/// How many variables there are so far.
	pub(crate) fn segments(&self) -> Segments {
		Segments {
			public: 1 + PUBLIC_INPUTS,
			committed: self.committed as usize,
			weights: self.weights as usize,
			rest: self.rest as usize,
		}
	}

	/// The parts, in order.
	pub(crate) fn into_parts(mut self) -> Vec<Part> {
		self.close_part();
		self.parts
	}

	/// The matrices, where they were wanted.
	pub(crate) fn into_matrices(self) -> Option<Matrices> {
		match self.output {
			Yield::Rows { rows, .. } => Some(rows.finish()),
			_ => None,
		}
	}

	/// The values that were wanted.
	pub(crate) fn into_values(self) -> Vec<Fr> {
		match self.output {
			Yield::Committed(values) | Yield::Rest(values) => values,
			Yield::Counts | Yield::Rows { .. } => Vec::new(),
		}
	}

	/// Whether linear combinations are wanted.
	pub(crate) fn wants_matrices(&self) -> bool {
		matches!(self.output, Yield::Rows { .. })
	}

	/// Whether nothing but numbers is wanted.
	pub(crate) fn only_counts(&self) -> bool {
		matches!(self.output, Yield::Counts)
	}

	/// Whether this run has the challenges.
	pub(crate) fn knows_challenges(&self) -> bool {
		matches!(self.output, Yield::Rest(_))
	}

	/// The challenges; zeros where they are not known yet.
	pub(crate) fn challenges(&self) -> &Challenges {
		&self.challenges
	}

	/// A variable that is fixed before the challenges are drawn.
	pub(crate) fn commit_field(&mut self, value: Fr) -> Variable {
		if let Yield::Committed(values) = &mut self.output {
			values.push(value);
		}
		self.committed += 1;
		Variable::Committed(self.committed - 1)
	}

	/// As [`commit_field`](Self::commit_field), of a small value.
	pub(crate) fn commit(&mut self, value: i64) -> Variable {
		self.commit_field(Fr::from(value))
	}

	/// Any other private variable.
	pub(crate) fn rest_field(&mut self, value: Fr) -> Variable {
		if let Yield::Rest(values) = &mut self.output {
			values.push(value);
		}
		self.rest += 1;
		Variable::Rest(self.rest - 1)
	}

	/// As [`rest_field`](Self::rest_field), of a small value.
	pub(crate) fn rest(&mut self, value: i64) -> Variable {
		self.rest_field(Fr::from(value))
	}

	/// A word of the weights' segment, and the circuit's own expression that it equals.
	pub(crate) fn weights_word(&mut self, expression: impl FnOnce() -> Lc) -> Result<()> {
		self.weights_word_with(Lc::zero, || Variable::One.into(), expression)
	}

	/// A word of the weights' segment and what is said of it: (word + a) · b = c.
	///
	/// The word stands in A of this constraint and nowhere else, and the constraints of all words are the circuit's first, in
	/// the order of the words. So a word's column, and with it its element of a key, is the same in every circuit.
	pub(crate) fn weights_word_with(
		&mut self,
		a: impl FnOnce() -> Lc,
		b: impl FnOnce() -> Lc,
		c: impl FnOnce() -> Lc,
	) -> Result<()> {
		assert_eq!(
			self.constraints, self.weights as usize,
			"words of the weights come first"
		);
		let word = Variable::Weights(self.weights);
		self.weights += 1;
		self.enforce(|| a().plus(0, [(1, word)]), b, c)
	}

	/// a · b = c, without public inputs in c. Fails beyond the limit, before the
	/// memory of larger circuits is taken.
	pub(crate) fn enforce(
		&mut self,
		a: impl FnOnce() -> Lc,
		b: impl FnOnce() -> Lc,
		c: impl FnOnce() -> Lc,
	) -> Result<()> {
		self.constraints += 1;
		if self.constraints as u64 > self.limit {
			return Err(CircuitError::TooLarge {
				what: "constraints",
				limit: MAX_CONSTRAINTS,
			});
		}
		if let Yield::Rows { rows, segments } = &mut self.output {
			let columns = |lc: Lc| -> Vec<(Fr, usize)> {
				let terms = lc.0.into_iter();
				terms
					.map(|(coefficient, variable)| (coefficient, variable.column(segments)))
					.collect()
			};
			let mut c = c();
			for (_, variable) in &mut c.0 {
				match variable {
					Variable::One => *variable = Self::UNIT,
					Variable::Public(_) => unreachable!("a public input in C"),
					Variable::Weights(_) => unreachable!("a word of the weights in C"),
					Variable::Committed(_) | Variable::Rest(_) => (),
				}
			}
			rows.push([columns(a()), columns(b()), columns(c)]);
		}
		Ok(())
	}

	/// lc = 0.
	pub(crate) fn enforce_zero(&mut self, lc: impl FnOnce() -> Lc) -> Result<()> {
		self.enforce(lc, || Variable::One.into(), Lc::zero)
	}

	/// lc ∈ {0, 1}.
	pub(crate) fn enforce_boolean(&mut self, lc: impl FnOnce() -> Lc) -> Result<()> {
		if !self.wants_matrices() {
			return self.enforce(Lc::zero, Lc::zero, Lc::zero);
		}
		let lc = lc();
		let complement = lc.complement();
		self.enforce(|| lc, || complement, Lc::zero)
	}
}

const UNKNOWN: Challenges = Challenges {
	r: Fr::ZERO,
	b: Fr::ZERO,
};
