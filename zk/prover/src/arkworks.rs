//! Constraint systems as arkworks takes them, to compare provers on the same one.

use ark_bls12_381::Fr;
use ark_relations::gr1cs::{
	ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use opensand_zk_r1cs::Matrices;

/// Matrices, and z if it is known, as a circuit of arkworks. Segments are one to it.
pub struct Relation<'a> {
	/// The matrices.
	pub matrices: &'a Matrices,
	/// An assignment; none for a set-up.
	pub z: Option<&'a [Fr]>,
}

impl ConstraintSynthesizer<Fr> for Relation<'_> {
	fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
		let segments = self.matrices.segments();
		let value = |column: usize| {
			self.z
				.map_or(Err(SynthesisError::AssignmentMissing), |z| Ok(z[column]))
		};
		let mut variables = vec![Variable::One];
		for column in 1..segments.variables() {
			variables.push(if column < segments.public {
				cs.new_input_variable(|| value(column))?
			} else {
				cs.new_witness_variable(|| value(column))?
			});
		}
		for row in 0..self.matrices.constraints() {
			let combination = |matrix| {
				let terms = self.matrices.row(matrix, row);
				LinearCombination(
					terms
						.map(|(column, coefficient)| (*coefficient, variables[column]))
						.collect(),
				)
			};
			cs.enforce_r1cs_constraint(|| combination(0), || combination(1), || combination(2))?;
		}
		Ok(())
	}
}
