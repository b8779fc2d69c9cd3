//! The statement's side of the circuit: the input, and the fold that ties input and output to the public inputs.

use crate::{
	builder::{Builder, Result},
	linear::{Lc, Variable},
	logup::TableId,
	poseidon::Element,
	wire::Wire,
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_nn::Interval;
use opensand_zk_verifier::{
	poseidon::{input_tag, salt_to_field},
	InputVisibility, BYTES_PER_WORD,
};

impl Builder {
	/// Makes [`UNIT`](Self::UNIT), before anything else is made.
	pub(crate) fn unit(&mut self) {
		let unit = self.rest(1);
		debug_assert_eq!(unit, Self::UNIT);
	}

	/// Fixes [`UNIT`](Self::UNIT), and uses b in a constraint, so that its column is not zero.
	pub(crate) fn challenges_part(&mut self) -> Result<()> {
		self.part("challenges");
		self.enforce_zero(|| Lc::integers(1, [(-1, Self::UNIT)]))?;
		let product = self.rest_field(self.challenges().b * self.challenges().r);
		self.enforce(|| Self::B.into(), || Self::R.into(), || product.into())
	}

	/// The input's wires, proven to be int8: by look-ups in a table of 256, or by bits.
	pub(crate) fn input(&mut self, values: &[i8], bytes: Option<TableId>) -> Result<Vec<Wire>> {
		self.part("input");
		let offset = i64::from(i8::MIN);
		let mut wires = Vec::with_capacity(values.len());
		for value in values.iter().map(|value| i64::from(*value)) {
			let variable = self.commit(value - offset);
			match bytes {
				Some(table) => self.look_up(table, value - offset, || variable.into())?,
				None => drop(self.decompose(|| variable.into(), (value - offset) as u64, 8)?),
			}
			wires.push(Wire {
				variable: Some(variable),
				offset,
				interval: Interval::INT8,
				value,
			});
		}
		Ok(wires)
	}

	/// The words that the statement has for the input: its values, or its hash alone.
	///
	/// The salt is committed: with the input it determines the hash, so that no word of the statement can be chosen when
	/// the challenges are known.
	pub(crate) fn input_words(
		&mut self,
		visibility: InputVisibility,
		wires: &[Wire],
		salt: &[u8; 32],
	) -> Result<Vec<Element>> {
		if visibility == InputVisibility::Public {
			return Ok(self.packed(wires));
		}
		self.part("input hash");
		let salt = salt_to_field(salt);
		let variable = self.commit_field(salt);
		let mut elements = vec![Element::variable(variable, salt)];
		elements.extend(self.packed(wires));
		Ok(vec![self.poseidon(input_tag(wires.len()), &elements)?])
	}

	/// Values as words of 31: Σ (wᵢ + 128)·256^i each.
	pub(crate) fn packed(&self, wires: &[Wire]) -> Vec<Element> {
		let word = |wires: &[Wire]| {
			let mut power = Fr::ONE;
			let (mut value, mut constant) = (Fr::ZERO, Fr::ZERO);
			let mut terms = Vec::new();
			for wire in wires {
				value += power * Fr::from(wire.value - i64::from(i8::MIN));
				constant += power * Fr::from(wire.offset - i64::from(i8::MIN));
				if self.wants_matrices() {
					terms.extend(wire.variable.map(|variable| (power, variable)));
				}
				power *= Fr::from(256u64);
			}
			terms.push((constant, Variable::One));
			Element {
				value,
				is_constant: false,
				lc: Lc(terms),
			}
		};
		wires.chunks(BYTES_PER_WORD).map(word).collect()
	}

	/// States that these are the statement's words: their fold Σ_k s_k · r^(k+1) is the public one.
	///
	/// By Horner's rule, from the last word on: t ← (t + s_k) · r.
	pub(crate) fn fold(&mut self, words: &[Element]) -> Result<()> {
		self.part("statement");
		let r = self.challenges().r;
		let (mut value, mut sum) = (Fr::ZERO, Lc::zero());
		for word in words.iter().rev() {
			value = (value + word.value) * r;
			let product = self.rest_field(value);
			self.enforce(
				|| sum.plus_scaled(Fr::ONE, &word.lc),
				|| Self::R.into(),
				|| product.into(),
			)?;
			sum = product.into();
		}
		self.enforce_zero(|| sum.plus_scaled(-Fr::ONE, &Self::FOLD.into()))
	}
}
