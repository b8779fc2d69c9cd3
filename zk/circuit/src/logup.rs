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
//! | an entry t | h · (r − t) = m |
//! | a table | Σ inverse − Σ h = 0 |
//!
//! Only small committed variables and r are ever in B; inverses and h, which are full-width, are in A.

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

/// A table and what has been looked up in it.
pub(crate) struct LookUps {
	pub(crate) table: Table,
	/// All entries; not where things are only counted.
	entries: Vec<i64>,
	/// How often each entry has been looked up; not where things are only counted.
	multiplicities: Vec<u32>,
	/// 1/(r − t) of each entry, where the challenges are known.
	inverses: Vec<Fr>,
	/// Variables of the looked-up values' inverses, where matrices are wanted.
	variables: Vec<Variable>,
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
		self.note_table(id);
		let matrices = self.wants_matrices();
		let look_ups = &mut self.look_ups[id.0];
		let mut inverse = Fr::ZERO;
		if let Ok(position) = usize::try_from(position) {
			if let Some(multiplicity) = look_ups.multiplicities.get_mut(position) {
				*multiplicity += 1;
			}
			inverse = look_ups.inverses.get(position).copied().unwrap_or_default();
		}
		let inverse = self.rest_field(inverse);
		if matrices {
			self.look_ups[id.0].variables.push(inverse);
		}
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

	/// The tables' side of all look-ups; nothing can be looked up afterwards.
	pub(crate) fn close_tables(&mut self) -> Result<()> {
		self.close_part();
		for look_ups in std::mem::take(&mut self.look_ups) {
			self.part(look_ups.table.name());
			let mut sum = Lc::integers(0, look_ups.variables.iter().map(|inverse| (1, *inverse)));
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
