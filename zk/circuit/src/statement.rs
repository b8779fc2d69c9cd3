//! The statement's side of the circuit: its public variables, the input they fix and the output they state.

use crate::{
	builder::{Builder, Lc, Result},
	poseidon::Element,
	wire::Wire,
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use ark_relations::gr1cs::{LinearCombination, Variable};
use opensand_nn::Interval;
use opensand_zk_verifier::{
	poseidon::{input_tag, salt_to_field},
	word_count, InputVisibility, BYTES_PER_WORD,
};

/// The public variables, in the statement's order.
pub(crate) struct PublicVariables {
	pub(crate) binding: Variable,
	/// The input's words, or its hash alone.
	pub(crate) input: Vec<Variable>,
	/// The output's words.
	pub(crate) output: Vec<Variable>,
}

impl Builder {
	/// Allocates the public variables with the given values: binding, input, output.
	pub(crate) fn public_variables(&mut self, values: &[Fr], output_len: usize) -> Result<PublicVariables> {
		let mut variables = Vec::with_capacity(values.len());
		for value in values {
			variables.push(self.instance(*value)?);
		}
		let output = variables.split_off(values.len() - word_count(output_len));
		let input = variables.split_off(1);
		Ok(PublicVariables {
			binding: variables[0],
			input,
			output,
		})
	}

	/// Uses the binding in a constraint, so that no one can change it without making another proof.
	pub(crate) fn bind(&mut self, binding: Variable, value: Fr) -> Result<()> {
		self.part("binding");
		let square = self.witness(value.square())?;
		self.enforce(|| binding.into(), || binding.into(), || square.into())
	}

	/// The input's wires, proven to be int8 and to be what the statement says.
	pub(crate) fn input(
		&mut self,
		visibility: InputVisibility,
		public: &[Variable],
		values: &[i8],
		salt: &[u8; 32],
	) -> Result<Vec<Wire>> {
		self.part("input");
		let mut wires = Vec::with_capacity(values.len());
		for value in values {
			wires.push(self.int8(*value)?);
		}
		match visibility {
			InputVisibility::Public => {
				for (chunk, word) in wires.chunks(BYTES_PER_WORD).zip(public) {
					self.enforce_zero(|| packed(chunk) - *word)?;
				}
			}
			InputVisibility::Hashed => {
				self.part("input hash");
				let salt = salt_to_field(salt);
				let variable = self.witness(salt)?;
				let mut elements = vec![Element {
					value: salt,
					is_constant: false,
					lc: variable.into(),
				}];
				for (chunk, bytes) in wires.chunks(BYTES_PER_WORD).zip(values.chunks(BYTES_PER_WORD)) {
					let lc = if self.wants_matrices() {
						packed(chunk)
					} else {
						Lc::zero()
					};
					let value = opensand_zk_verifier::pack_words(bytes).sum();
					elements.push(Element {
						value,
						is_constant: false,
						lc,
					});
				}
				let digest = self.poseidon(input_tag(values.len()), &elements)?;
				self.enforce_zero(|| digest.lc - public[0])?;
			}
		}
		Ok(wires)
	}

	/// Any int8.
	fn int8(&mut self, value: i8) -> Result<Wire> {
		let value = i64::from(value);
		let offset = i64::from(i8::MIN);
		let variable = self.small_witness(value - offset)?;
		self.decompose(|| variable.into(), (value - offset) as u64, 8)?;
		Ok(Wire {
			variable: Some(variable),
			offset,
			interval: Interval::INT8,
			value,
		})
	}

	/// States that the wires are the output.
	pub(crate) fn output(&mut self, wires: &[Wire], public: &[Variable]) -> Result<()> {
		self.part("output");
		for (chunk, word) in wires.chunks(BYTES_PER_WORD).zip(public) {
			self.enforce_zero(|| packed(chunk) - *word)?;
		}
		Ok(())
	}
}

/// One word: Σ (wᵢ + 128)·256^i.
fn packed(wires: &[Wire]) -> Lc {
	let mut power = Fr::ONE;
	let mut constant = Fr::ZERO;
	let mut terms = Vec::with_capacity(wires.len() + 1);
	for wire in wires {
		constant += power * Fr::from(wire.offset - i64::from(i8::MIN));
		terms.extend(wire.variable.map(|variable| (power, variable)));
		power *= Fr::from(256u64);
	}
	terms.push((constant, Variable::One));
	LinearCombination(terms)
}
