//! Accumulators of layers whose weights are committed to.

use crate::{
	basis::Basis,
	builder::{Builder, Result},
	linear::{Lc, Variable},
	packing::{Block, Packing, WordCopy},
	sums::window_taps,
	wire::Wire,
};
use ark_bls12_381::Fr;
use ark_ff::AdditiveGroup;
use opensand_nn::{Operator, Shape};
use std::ops::Range;

/// The inputs of one tap at some positions: the place of the position among them, and the input.
type Taps = Vec<Vec<(usize, usize)>>;

impl Builder {
	/// The words of the weights with their copies in the rest: the circuit's first constraints.
	pub(crate) fn weights_part<'a>(&mut self, count: usize, words: &'a [Fr]) -> Result<Vec<WordCopy<'a>>> {
		if count == 0 {
			return Ok(Vec::new());
		}
		self.part("weights");
		(0..count)
			.map(|word| {
				let value = words.get(word);
				let variable = self.rest_field(value.copied().unwrap_or_default());
				self.weights_word(|| variable.into())?;
				Ok(WordCopy { variable, value })
			})
			.collect()
	}

	/// Variables that are claimed to be a layer's accumulators.
	pub(crate) fn claims(&mut self, basis: &Basis, layer: usize, accumulators: Option<&[i32]>) -> Vec<Wire> {
		let shape = basis.model.architecture().shapes()[layer + 1];
		let intervals = basis.accumulators(layer).iter();
		let intervals = intervals.flat_map(|interval| std::iter::repeat_n(*interval, shape.plane() as usize));
		intervals
			.enumerate()
			.map(|(element, interval)| {
				let value = accumulators.map_or(0, |values| values[element].into());
				Wire {
					variable: Some(self.commit(value)),
					offset: 0,
					interval,
					value,
				}
			})
			.collect()
	}

	/// Proves that what is claimed are a layer's accumulators, if of each is proven besides what the packing relies on.
	///
	/// For each block of outputs and each chunk of positions, the packed accumulators are the sum, over the taps, of a word
	/// times the packed inputs, and of the biases' word at each position. The last product takes the sum.
	pub(crate) fn packed_sums(
		&mut self,
		basis: &Basis,
		packing: &Packing,
		inputs: &[Wire],
		copies: &[WordCopy],
		claimed: &[Wire],
	) -> Result<()> {
		let architecture = basis.model.architecture();
		let layer = &architecture.layers()[packing.layer];
		let from = architecture.shapes()[usize::from(layer.input)];
		let to = architecture.shapes()[packing.layer + 1];
		let plane = packing.plane;
		let powers = packing.powers();
		for group in 0..packing.groups {
			for first in (0..plane).step_by(packing.positions) {
				let positions = first..(first + packing.positions).min(plane);
				let taps = packed_taps(&layer.operator, packing, group, from, to, positions.clone());
				for block in packing.blocks(group) {
					let words = &copies[block.words.clone()];
					let sum = || packed(packing, &block, claimed, positions.clone(), &powers);
					self.packed_sum(packing, inputs, &taps, words, positions.len(), sum, &powers)?;
				}
			}
		}
		Ok(())
	}

	/// One packed sum: of `words`, one a tap and that of the biases, where there are some, last.
	#[allow(clippy::too_many_arguments)]
	fn packed_sum(
		&mut self,
		packing: &Packing,
		inputs: &[Wire],
		taps: &Taps,
		words: &[WordCopy],
		positions: usize,
		sum: impl FnOnce() -> Lc,
		powers: &[Fr],
	) -> Result<()> {
		let place = |slot: usize| powers[slot * packing.outputs];
		let factor = |tap: &[(usize, usize)]| {
			let mut lc = Lc::zero();
			for (slot, input) in tap {
				lc = lc.plus_scaled(place(*slot), &inputs[*input].lc());
			}
			lc
		};
		let (words, biases) = words.split_at(packing.taps);
		let remainder = |products: &[Variable]| {
			let slots: Fr = (0..positions).map(place).sum();
			let mut lc = sum();
			lc.0.extend(biases.iter().map(|word| (-slots, word.variable)));
			lc.plus(0, products.iter().map(|product| (-1, *product)))
		};
		let mut used = taps.iter().zip(words).filter(|(tap, _)| !tap.is_empty());
		let Some((last_tap, last_word)) = used.next_back() else {
			return self.enforce_zero(|| remainder(&[]));
		};
		let mut products = Vec::new();
		for (tap, word) in used {
			let mut value = Fr::ZERO;
			if let Some(word) = word.value.filter(|_| self.knows_challenges()) {
				let terms = tap.iter();
				let terms = terms.map(|(slot, input)| place(*slot) * Fr::from(inputs[*input].value));
				value = terms.sum::<Fr>() * word;
			}
			let product = self.rest_field(value);
			self.enforce(|| word.variable.into(), || factor(tap), || product.into())?;
			if self.wants_matrices() {
				products.push(product);
			}
		}
		self.enforce(
			|| last_word.variable.into(),
			|| factor(last_tap),
			|| remainder(&products),
		)
	}
}

/// Σ B^i·acc_i over the outputs of a block at some positions.
fn packed(packing: &Packing, block: &Block, claimed: &[Wire], positions: Range<usize>, powers: &[Fr]) -> Lc {
	let mut lc = Lc::zero();
	for (slot, position) in positions.enumerate() {
		for (digit, output) in block.outputs.clone().enumerate() {
			let power = powers[slot * packing.outputs + digit];
			lc = lc.plus_scaled(power, &claimed[packing.element(output, position)].lc());
		}
	}
	lc
}

/// The inputs that each tap of a group reads at some positions; what lies outside the input is left out.
fn packed_taps(
	operator: &Operator,
	packing: &Packing,
	group: usize,
	from: Shape,
	to: Shape,
	positions: Range<usize>,
) -> Taps {
	let Some((conv, dilation)) = operator.convolution() else {
		// Every position has the inputs of all groups' taps side by side.
		let inputs = packing.groups * packing.taps;
		let places = |tap: usize| -> Vec<(usize, usize)> {
			let first = group * packing.taps + tap;
			let positions = positions.clone().enumerate();
			positions
				.map(|(slot, position)| (slot, position * inputs + first))
				.collect()
		};
		return (0..packing.taps).map(places).collect();
	};
	let area = conv.window.area() as usize;
	let channels = packing.taps / area;
	let plane = from.plane() as usize;
	let mut taps = vec![Vec::new(); packing.taps];
	for (slot, position) in positions.enumerate() {
		for (tap, element) in window_taps(&conv.window, dilation, from, to, position) {
			for channel in 0..channels {
				let input = (group * channels + channel) * plane + element;
				taps[channel * area + tap].push((slot, input));
			}
		}
	}
	taps
}
