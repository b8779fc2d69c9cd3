//! The circuit that says that committed words are well-formed weights.

use crate::{
	basis::Basis,
	builder::{Builder, Result},
	circuit::{mock_challenges, CircuitSize, InferenceCircuit},
	error::{CircuitError, MockError},
	linear::{Lc, Variable},
	logup::TableId,
	packing::{self, Packing},
	tables::Table,
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_nn::Model;
use opensand_zk_r1cs::Matrices;
use opensand_zk_verifier::{Challenges, StatementShape};
use std::sync::Arc;

/// The bits of a weight, and of a limb of a bias.
const BYTE_BITS: u32 = 8;

/// The circuit with which weights are registered for an inference circuit: each word, but for the mask, is made of int8 weights, or of biases
/// within the declared width. It has no input and no output, and depends on architecture, declared widths and plan only.
#[derive(Clone, Debug)]
pub struct RegistrationCircuit {
	basis: Basis,
	packings: Vec<Packing>,
	size: CircuitSize,
}

impl RegistrationCircuit {
	/// The registration circuit that belongs to an inference circuit.
	///
	/// # Errors
	/// Where that circuit's weights are constants, and where this one would be too large.
	pub fn of(inference: &InferenceCircuit) -> std::result::Result<Self, CircuitError> {
		let packings = inference.plan.packings.clone();
		if packings.is_empty() {
			return Err(CircuitError::ConstantWeights);
		}
		let mut builder = Builder::counting();
		synthesise(&mut builder, &inference.basis.model, &packings, None)?;
		Ok(Self {
			size: CircuitSize::of(builder, StatementShape::REGISTRATION)?,
			basis: inference.basis.clone(),
			packings,
		})
	}

	/// The model whose weights are registered.
	pub fn model(&self) -> &Arc<Model> {
		&self.basis.model
	}

	/// How large the circuit is.
	pub fn size(&self) -> &CircuitSize {
		&self.size
	}

	/// The constraint matrices.
	pub fn matrices(&self) -> std::result::Result<Matrices, CircuitError> {
		let mut builder = Builder::of_matrices(self.size.segments);
		synthesise(&mut builder, self.model(), &self.packings, None)?;
		Ok(builder
			.into_matrices()
			.expect("the builder was asked for matrices"))
	}

	/// The words of the model's weights with this mask, as [`InferenceCircuit::words`].
	pub fn words(&self, mask: Fr) -> Vec<Fr> {
		packing::words(self.model(), &self.packings, mask)
	}

	/// The values of the committed segment: what is fixed before the challenges are drawn.
	pub fn commit(&self) -> std::result::Result<Vec<Fr>, CircuitError> {
		let mut builder = Builder::of_committed();
		synthesise(&mut builder, self.model(), &self.packings, Some(Fr::ZERO))?;
		Ok(builder.into_values())
	}

	/// The full assignment z = (1, r, b, 0 | committed | weights | rest), with the values of [`words`](Self::words) and
	/// [`commit`](Self::commit).
	pub fn assign(
		&self,
		words: &[Fr],
		committed: &[Fr],
		challenges: &Challenges,
	) -> std::result::Result<Vec<Fr>, CircuitError> {
		let segments = self.size.segments;
		let mask = words.first().filter(|_| words.len() == segments.weights);
		let mask = mask.ok_or(CircuitError::WordsLength {
			expected: segments.weights,
			found: words.len(),
		})?;
		if committed.len() != segments.committed {
			return Err(CircuitError::CommittedLength {
				expected: segments.committed,
				found: committed.len(),
			});
		}
		let mut builder = Builder::of_rest(*challenges);
		synthesise(&mut builder, self.model(), &self.packings, Some(*mask))?;
		let mut assignment = vec![Fr::ONE, challenges.r, challenges.b, Fr::ZERO];
		assignment.extend_from_slice(committed);
		assignment.extend_from_slice(words);
		assignment.extend(builder.into_values());
		Ok(assignment)
	}

	/// Checks the model's weights against every constraint without proving, and names the first part that fails.
	pub fn mock(&self) -> std::result::Result<(), MockError> {
		let assignment = self.assign(&self.words(Fr::ONE), &self.commit()?, &mock_challenges())?;
		self.size.check(&self.matrices()?, &assignment)
	}
}

/// Builds everything in order; with values, where there is a mask.
fn synthesise(builder: &mut Builder, model: &Model, packings: &[Packing], mask: Option<Fr>) -> Result<()> {
	builder.unit();
	builder.part("weights");
	let copy = builder.rest_field(mask.unwrap_or(Fr::ZERO));
	builder.weights_word(|| copy.into())?;
	let mut ranges = Vec::new();
	for packing in packings {
		let powers = packing.powers();
		for block in packing.all_blocks() {
			for word in block.words.clone() {
				let bytes = packing.digit_bytes(&block, word);
				let least = -(1i64 << (BYTE_BITS * bytes - 1));
				let first = ranges.len();
				for digit in packing.digits(model, &block, word) {
					let value = digit - least;
					ranges.push((builder.commit(value), value, BYTE_BITS * bytes));
				}
				builder.weights_word(|| word_of(&ranges[first..], least, &powers))?;
			}
		}
	}
	builder.challenges_part()?;
	builder.add_tables(&[Table::Range { bits: BYTE_BITS }])?;
	builder.part("ranges of weights");
	for (variable, value, bits) in ranges {
		builder.range(TableId(0), || variable.into(), value, bits)?;
	}
	builder.fold(&[])?;
	builder.close_tables()
}

/// Σ B^o·(v_o + least).
fn word_of(digits: &[(Variable, i64, u32)], least: i64, powers: &[Fr]) -> Lc {
	let mut lc = Lc::zero();
	let mut constant = Fr::ZERO;
	for ((variable, _, _), power) in digits.iter().zip(powers) {
		lc.0.push((*power, *variable));
		constant += *power * Fr::from(least);
	}
	lc.0.push((constant, Variable::One));
	lc
}
