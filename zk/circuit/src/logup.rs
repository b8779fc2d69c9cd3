//! Look-ups by sums of inverses.
//!
//! Values v_i all lie in a table of entries t_j exactly if, for some multiplicities m_j, Σ_i 1/(X − v_i) = Σ_j m_j/(X − t_j)
//! as rational functions: the poles on the left have positive coefficients, fewer than the field's characteristic, and
//! none may be missing on the right. Both sides are compared at X = r, which is drawn once all v_i and m_j are committed to;
//! functions that differ agree there with probability below 2^23/2^254, as numerators have degrees below the number of
//! constraints. (Haböck, "Multivariate lookups based on logarithmic derivatives", ePrint 2022/1530.)
//!
//! | what | constraint |
//! |---|---|
//! | a look-up of v | inverse · (r − v) = 1 |
//! | one in a word's row: see [`weights_word_look_up`](Builder::weights_word_look_up) | −c·(r − v) · h = 1 |
//! | an entry t | h · (r − t) = m |
//! | a table | Σ inverse − Σ h = 0 |
//!
//! Inverses and h are full-width and in A, where they cost no multiplication in G2, but for those of words' rows.

use crate::{
	builder::{Builder, Result},
	error::CircuitError,
	linear::{Lc, Variable},
	tables::Table,
};
use ark_bls12_381::Fr;
use ark_ff::{batch_inversion, AdditiveGroup, Field};

/// A table's place in the builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TableId(pub(crate) usize);

/// A power of two and its inverse.
pub(crate) struct Place {
	pub(crate) power: Fr,
	pub(crate) inverse: Fr,
}

/// A table and what has been looked up in it.
pub(crate) struct LookUps {
	pub(crate) table: Table,
	/// All entries; not where things are only counted.
	entries: Vec<i64>,
	/// How often each entry has been looked up; not where things are only counted.
	multiplicities: Vec<u32>,
	/// 1/(r − t) of each entry, where the challenges are known.
	inverses: Vec<Fr>,
	/// The looked-up values' inverses as multiples of variables, where matrices are wanted.
	variables: Vec<(Fr, Variable)>,
}

impl Builder {
	/// Brings the tables that look-ups will name, in order.
	pub(crate) fn add_tables(&mut self, tables: &[Table]) -> Result<()> {
		for table in tables {
			let mut look_ups = LookUps {
				table: table.clone(),
				entries: Vec::new(),
				multiplicities: Vec::new(),
				inverses: Vec::new(),
				variables: Vec::new(),
			};
			if !self.only_counts() {
				look_ups.entries = table.entries();
				look_ups.multiplicities = vec![0; table.len()];
			}
			if self.knows_challenges() {
				let r = self.challenges().r;
				let mut inverses: Vec<Fr> = look_ups
					.entries
					.iter()
					.map(|entry| r - Fr::from(*entry))
					.collect();
				if inverses.contains(&Fr::ZERO) {
					return Err(CircuitError::LookedUpChallenge);
				}
				batch_inversion(&mut inverses);
				look_ups.inverses = inverses;
			}
			self.look_ups.push(look_ups);
		}
		Ok(())
	}

	/// A table that has been added.
	pub(crate) fn table(&self, id: TableId) -> &Table {
		&self.look_ups[id.0].table
	}

	/// Proves that an expression is an entry of a table. In this execution it is the one at `position`; at another
	/// position, as a false trace gives, the constraint does not hold.
	///
	/// Every variable of the expression is committed: were one left open until r is known, it could be solved for. This is
	/// checked wherever matrices are made.
	pub(crate) fn look_up(
		&mut self,
		id: TableId,
		position: i64,
		expression: impl FnOnce() -> Lc,
	) -> Result<()> {
		let inverse = self.inverse(id, position, Fr::ONE, Fr::ONE);
		self.enforce(
			|| inverse.into(),
			|| {
				let expression = expression();
				assert!(
					expression.is_committed(),
					"a looked-up expression has a variable that is not committed"
				);
				Lc::from(Self::R).plus_scaled(-Fr::ONE, &expression)
			},
			|| Variable::One.into(),
		)
	}

	/// A word of the weights, ℓ + c·v for what is `lower` and c = 2^place, and that v is the entry of a table at `position`.
	///
	/// The word's own row says it: with A = ℓ + c·v − c·r, the inverse of the look-up is −c times the variable in B. So a word costs no row
	/// besides those of its look-ups.
	pub(crate) fn weights_word_look_up(
		&mut self,
		id: TableId,
		position: i64,
		place: &Place,
		lower: impl FnOnce() -> Lc,
	) -> Result<()> {
		let multiple = self.inverse(id, position, -place.inverse, -place.power);
		self.weights_word_with(
			|| {
				let lower = lower();
				assert!(
					lower.is_committed(),
					"a looked-up expression has a variable that is not committed"
				);
				lower
					.scaled(-Fr::ONE)
					.plus_scaled(-place.power, &Lc::from(Self::R))
			},
			|| multiple.into(),
			|| Variable::One.into(),
		)
	}

	/// Counts a look-up and makes a variable for its inverse, which is `coefficient` times the variable; `factor` is one over that.
	fn inverse(&mut self, id: TableId, position: i64, factor: Fr, coefficient: Fr) -> Variable {
		self.note_table(id);
		let look_ups = &mut self.look_ups[id.0];
		let mut inverse = Fr::ZERO;
		if let Ok(position) = usize::try_from(position) {
			if let Some(multiplicity) = look_ups.multiplicities.get_mut(position) {
				*multiplicity += 1;
			}
			inverse = look_ups.inverses.get(position).copied().unwrap_or_default();
		}
		let variable = self.rest_field(inverse * factor);
		if self.wants_matrices() {
			self.look_ups[id.0].variables.push((coefficient, variable));
		}
		variable
	}

	/// The tables' side of all look-ups; nothing can be looked up afterwards.
	pub(crate) fn close_tables(&mut self) -> Result<()> {
		self.close_part();
		for look_ups in std::mem::take(&mut self.look_ups) {
			self.part(look_ups.table.name());
			let mut sum = Lc(look_ups.variables);
			for position in 0..look_ups.table.len() {
				let count = look_ups.multiplicities.get(position).copied().unwrap_or_default();
				let multiplicity = self.commit(count.into());
				let inverse = look_ups.inverses.get(position).copied().unwrap_or_default();
				let fraction = self.rest_field(inverse * Fr::from(count));
				self.enforce(
					|| fraction.into(),
					|| Lc::from(Self::R).plus(-look_ups.entries[position], []),
					|| multiplicity.into(),
				)?;
				if self.wants_matrices() {
					sum.0.push((-Fr::ONE, fraction));
				}
			}
			self.enforce_zero(|| sum)?;
		}
		Ok(())
	}
}
