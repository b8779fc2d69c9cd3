//! The salted hash of an input, as `opensand_zk_verifier::poseidon` defines it.

use crate::{
	builder::{Builder, Result},
	linear::{Lc, Variable},
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_zk_verifier::poseidon::{is_full_round, mds_matrix, round_constants, RATE, WIDTH};

/// A field element in the circuit: a linear combination, or a constant.
#[derive(Clone)]
pub(crate) struct Element {
	/// The value in this execution.
	pub(crate) value: Fr,
	/// Whether the value is the same in every execution.
	pub(crate) is_constant: bool,
	/// The linear combination; empty where no matrices are wanted.
	pub(crate) lc: Lc,
}

impl Element {
	/// A variable.
	pub(crate) fn variable(variable: Variable, value: Fr) -> Self {
		Self {
			value,
			is_constant: false,
			lc: variable.into(),
		}
	}

	fn constant(value: Fr) -> Self {
		Self {
			value,
			is_constant: true,
			lc: Lc::constant(value),
		}
	}
}

impl Builder {
	/// The sponge over `elements`, with `tag` in the capacity.
	///
	/// A permutation costs three constraints an S-box: 8·9 + 57 S-boxes, of which those on constants, in the first
	/// round, cost nothing.
	pub(crate) fn poseidon(&mut self, tag: Fr, elements: &[Element]) -> Result<Element> {
		let mut state: Vec<Element> = vec![Element::constant(Fr::ZERO); WIDTH];
		state[0] = Element::constant(tag);
		for block in elements.chunks(RATE) {
			for (slot, element) in state[1..].iter_mut().zip(block) {
				slot.value += element.value;
				slot.is_constant &= element.is_constant;
				slot.lc.0.extend(&element.lc.0);
			}
			self.permute(&mut state)?;
		}
		Ok(state.swap_remove(1))
	}

	fn permute(&mut self, state: &mut Vec<Element>) -> Result<()> {
		for (round, constants) in round_constants().iter().enumerate() {
			for (element, constant) in state.iter_mut().zip(constants) {
				element.value += constant;
				element.lc.0.push((*constant, Variable::One));
			}
			let boxes = if is_full_round(round) { WIDTH } else { 1 };
			for element in state.iter_mut().take(boxes) {
				*element = self.fifth_power(element)?;
			}
			*state = mds_matrix().iter().map(|row| self.mix(row, state)).collect();
		}
		Ok(())
	}

	/// x⁵ by x², x⁴ and x⁴·x.
	fn fifth_power(&mut self, x: &Element) -> Result<Element> {
		let square = x.value.square();
		let fourth = square.square();
		let fifth = fourth * x.value;
		if x.is_constant {
			return Ok(Element::constant(fifth));
		}
		let [square, fourth_power, fifth_power] = [square, fourth, fifth].map(|power| self.rest_field(power));
		self.enforce(|| x.lc.clone(), || x.lc.clone(), || square.into())?;
		self.enforce(|| square.into(), || square.into(), || fourth_power.into())?;
		self.enforce(|| fourth_power.into(), || x.lc.clone(), || fifth_power.into())?;
		Ok(Element::variable(fifth_power, fifth))
	}

	fn mix(&self, row: &[Fr; WIDTH], state: &[Element]) -> Element {
		let value = row
			.iter()
			.zip(state)
			.map(|(coefficient, element)| *coefficient * element.value)
			.sum();
		let mut lc = Lc::zero();
		if self.wants_matrices() {
			for (coefficient, element) in row.iter().zip(state) {
				lc = lc.plus_scaled(*coefficient, &element.lc);
			}
			lc.compact();
		}
		Element {
			value,
			is_constant: state.iter().all(|element| element.is_constant),
			lc,
		}
	}
}
