//! How committed weights are packed into words, and how wide a digit of a word has to be.
//!
//! A word is Σ_o B^o·w_o over some outputs o of a layer that read the same inputs, for one of their taps, or for their
//! biases. Times packed inputs Σ_p B^(cp)·x_p, at p positions for c outputs, it has the products of all pairs in distinct
//! digits, and the sum over all taps has the accumulators.
//!
//! A LayerNormalization has a word for each weight, which the elements of one place in all rows share. An Embedding is a linear layer
//! without biases of the indicators of tokens.
//!
//! # How wide a digit is
//!
//! The circuit claims accumulators a_i and proves Σ B^i·a_i = Σ B^i·t_i in the field, for the true ones t_i. This says a_i
//! = t_i only if both are known to be small. |t_i| ≤ T follows from the proven range of inputs, weights and biases.
//! Of a_i nothing is known but what its requantisation proves: that 2^e·a_i is an integer of magnitude at most 2^e·A,
//! for an e and an A that follow from how ranges are proven, not from what has been declared. So the differences d_i =
//! 2^e·(a_i − t_i) are integers of magnitude at most M = 2^e·(A + T). Let M < B and B^κ < |F|: then |Σ B^i·d_i| < B^κ is zero as
//! an integer, d_0 is divisible by B and so it is 0, and so are all others.

use crate::{
	basis::Basis, bits::bit_length, linear::Variable, logup::TableId, plan::LayerPlan,
	requantise::Requantisation, tables::Table, widths::LayerWidths,
};
use ark_bls12_381::Fr;
use ark_ff::Field;
use opensand_nn::{Architecture, Interval, Layer, LayerNormalization, Model, Operator};
use std::ops::Range;

/// The bits of all digits of a word and of a packed sum, of weights or of activations: B^κ < 2^253 < |F|.
pub(crate) const WORD_BITS: u32 = 253;
/// The largest magnitude of a weight.
const WEIGHT: u128 = 128;

/// How the weights of one layer are packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
	/// The layer.
	pub(crate) layer: usize,
	/// The place of its first word.
	pub(crate) first_word: usize,
	/// How many groups of outputs there are that do not read the same inputs.
	pub(crate) groups: usize,
	/// Outputs of a group.
	pub(crate) group_outputs: usize,
	/// Weights of an output.
	pub(crate) taps: usize,
	/// Positions that share weights.
	pub(crate) plane: usize,
	/// Whether a tensor has all outputs of a position side by side, instead of all positions of an output.
	pub(crate) side_by_side: bool,
	/// Bytes of a bias; 0 where there are none.
	pub(crate) bias_bytes: u8,
	/// W: a digit is one of base 2^W.
	pub(crate) digit_bits: u32,
	/// c: outputs in a word, at most.
	pub(crate) outputs: usize,
	/// Positions in a product, at most.
	pub(crate) positions: usize,
}

/// Which outputs of a layer read the same inputs, and which positions share weights.
struct Sharing {
	groups: usize,
	group_outputs: usize,
	taps: usize,
	plane: usize,
	side_by_side: bool,
}

impl Sharing {
	fn of(architecture: &Architecture, layer: usize) -> Self {
		let Layer { input, operator } = &architecture.layers()[layer];
		let shapes = architecture.shapes();
		let (from, to) = (shapes[usize::from(*input)], shapes[layer + 1]);
		let width = to.width as usize;
		let rows = (to.channels * to.height) as usize;
		match operator {
			// An element of a row has a weight of its own, which all rows share.
			Operator::LayerNormalization(_) => Self {
				groups: width,
				group_outputs: 1,
				taps: 1,
				plane: rows,
				side_by_side: true,
			},
			// A linear layer of the indicators of tokens.
			Operator::Embedding(embedding) => Self {
				groups: 1,
				group_outputs: width,
				taps: embedding.vocabulary as usize,
				plane: rows,
				side_by_side: true,
			},
			_ => {
				let (groups, area) = operator.convolution().map_or((1, 1), |(conv, _)| {
					(conv.groups as usize, conv.window.area() as usize)
				});
				Self {
					groups,
					group_outputs: to.channels as usize / groups,
					taps: from.channels as usize / groups * area,
					plane: to.plane() as usize,
					side_by_side: false,
				}
			}
		}
	}
}

/// Some outputs of a layer with the same inputs, and their words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
	/// The outputs.
	pub(crate) outputs: Range<usize>,
	/// The places of their words: one a tap, and that of the biases, where there are some, last.
	pub(crate) words: Range<usize>,
}

impl Packing {
	/// How a layer is packed so that its sums take the fewest constraints, for claims of this many bits.
	fn new(
		basis: &Basis,
		layer: usize,
		widths: &LayerWidths,
		digit_bits: u32,
		first_word: usize,
		shape: WordShape,
	) -> Self {
		let Sharing {
			groups,
			group_outputs,
			taps,
			plane,
			side_by_side,
		} = Sharing::of(basis.model.architecture(), layer);
		let bias_bytes = match basis.model.architecture().layers()[layer].operator {
			Operator::Embedding(_) => 0,
			_ => widths.bias_bytes,
		};
		let digits = (WORD_BITS / digit_bits).max(1) as usize;
		let positions = |outputs: usize| (digits / outputs).min(plane);
		let cost = |outputs: &usize| {
			let blocks = groups * group_outputs.div_ceil(*outputs);
			blocks * (plane.div_ceil(positions(*outputs)) * taps + taps + usize::from(bias_bytes > 0))
		};
		// Of equal ones the last, which has the fewest words.
		let outputs = (1..=digits.min(group_outputs))
			.rev()
			.filter(|outputs| shape == WordShape::Any || *outputs == 1 || outputs % 2 == 0)
			.min_by_key(cost)
			.unwrap_or(1);
		// A wider digit is as sound, and layers with the same one share a table.
		let digit_bits = match shape {
			WordShape::Any => digit_bits,
			WordShape::Pairs => WORD_BITS / (outputs * positions(outputs)) as u32,
		};
		Self {
			layer,
			first_word,
			groups,
			group_outputs,
			taps,
			plane,
			side_by_side,
			bias_bytes,
			digit_bits,
			outputs,
			positions: positions(outputs),
		}
	}

	/// Words of a block.
	fn block_words(&self) -> usize {
		self.taps + usize::from(self.bias_bytes > 0)
	}

	/// The place in the layer's tensor of an output at a position.
	pub(crate) fn element(&self, output: usize, position: usize) -> usize {
		if self.side_by_side {
			position * self.groups * self.group_outputs + output
		} else {
			output * self.plane + position
		}
	}

	/// The places of the layer's words.
	pub(crate) fn words(&self) -> Range<usize> {
		let blocks = self.groups * self.group_outputs.div_ceil(self.outputs);
		self.first_word..self.first_word + blocks * self.block_words()
	}

	/// The blocks of a group, in order.
	pub(crate) fn blocks(&self, group: usize) -> impl Iterator<Item = Block> + '_ {
		let group_blocks = self.group_outputs.div_ceil(self.outputs);
		let outputs = group * self.group_outputs..(group + 1) * self.group_outputs;
		outputs
			.clone()
			.step_by(self.outputs)
			.enumerate()
			.map(move |(index, first)| {
				let word = self.first_word + (group * group_blocks + index) * self.block_words();
				Block {
					outputs: first..(first + self.outputs).min(outputs.end),
					words: word..word + self.block_words(),
				}
			})
	}

	/// All blocks of the layer, in the order of their words.
	pub(crate) fn all_blocks(&self) -> impl Iterator<Item = Block> + '_ {
		(0..self.groups).flat_map(|group| self.blocks(group))
	}

	/// Powers of B: as many as there are digits in a product.
	pub(crate) fn powers(&self) -> Vec<Fr> {
		let base = Fr::from(2u64).pow([u64::from(self.digit_bits)]);
		let count = self.outputs * self.positions;
		std::iter::successors(Some(Fr::ONE), |power| Some(*power * base))
			.take(count)
			.collect()
	}

	/// The bytes of each digit of a block's word, in two's complement.
	pub(crate) fn digit_bytes(&self, block: &Block, word: usize) -> u32 {
		if word - block.words.start == self.taps {
			self.bias_bytes.into()
		} else {
			1
		}
	}

	/// The digits of a block's word: weights of one tap, or the biases.
	pub(crate) fn digits<'a>(
		&'a self,
		model: &'a Model,
		block: &'a Block,
		word: usize,
	) -> impl Iterator<Item = i64> + 'a {
		let weights = model
			.layer_weights(self.layer)
			.expect("a layer that is packed has weights");
		let tap = word - block.words.start;
		let operator = &model.architecture().layers()[self.layer].operator;
		let is_table = matches!(operator, Operator::Embedding(_));
		block.outputs.clone().map(move |output| {
			if tap == self.taps {
				weights.biases[output].into()
			} else if is_table {
				weights.weights[tap * self.group_outputs + output].into()
			} else {
				weights.weights[output * self.taps + tap].into()
			}
		})
	}
}

/// What words are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WordShape {
	/// The fewest products.
	Any,
	/// Digits that are looked up in pairs when they are registered: an even number of them where there are several.
	Pairs,
}

/// The packing of every layer that has weights, in order, under a plan's choices; word 0 is the mask.
pub(crate) fn packings(
	basis: &Basis,
	tables: &[Table],
	plans: &[LayerPlan],
	shape: WordShape,
) -> Vec<Packing> {
	let Some(widths) = &basis.widths else {
		return Vec::new();
	};
	let mut next_word = 1;
	let layers = widths.by_layer(basis.model.architecture());
	layers
		.map(|(layer, widths)| {
			let digit_bits = digit_bits(basis, layer, widths, tables, plans);
			let packing = Packing::new(basis, layer, widths, digit_bits, next_word, shape);
			next_word = packing.words().end;
			packing
		})
		.collect()
}

/// All words of a model's weights, the mask first.
pub(crate) fn words(model: &Model, packings: &[Packing], mask: Fr) -> Vec<Fr> {
	let mut words = vec![mask];
	for packing in packings {
		let powers = packing.powers();
		for block in packing.all_blocks() {
			for word in block.words.clone() {
				let digits = packing.digits(model, &block, word).zip(&powers);
				words.push(digits.map(|(digit, power)| *power * Fr::from(digit)).sum());
			}
		}
	}
	words
}

/// W, such that 2^W exceeds M and every two biases.
fn digit_bits(
	basis: &Basis,
	layer: usize,
	widths: &LayerWidths,
	tables: &[Table],
	plans: &[LayerPlan],
) -> u32 {
	let description = &basis.model.architecture().layers()[layer];
	let operator = &description.operator;
	let largest_bias = 1u128 << (8 * widths.bias_bytes - 1);
	let taps = Sharing::of(basis.model.architecture(), layer).taps as u128;
	let reach =
		|interval: Interval| u128::from(interval.lower.unsigned_abs().max(interval.upper.unsigned_abs()));
	let inputs = basis.tensor(description.input.into());
	let truth = match operator {
		// One indicator of a token is set at most, and what a limb can hold is claimed.
		Operator::Embedding(_) => {
			let offset = u128::from(Interval::INT8.lower.unsigned_abs());
			let claim = plans[layer].range().map_or(8, |range| match &tables[range.0] {
				Table::Range { bits } => *bits,
				_ => unreachable!("the plan names a range"),
			});
			return bits_of(WEIGHT + offset.max((1 << claim) - 1 - offset));
		}
		Operator::LayerNormalization(_) => {
			let width = basis.model.architecture().shapes()[layer + 1].width;
			WEIGHT * reach(LayerNormalization::normalised_bounds(width)) + largest_bias
		}
		_ => taps * WEIGHT * reach(inputs) + largest_bias,
	};

	let is_pool_of =
		|plan: &&LayerPlan| matches!(plan, LayerPlan::PoolOf { layer: other, .. } if *other == layer);
	let plan = match &plans[layer] {
		LayerPlan::Pooled => plans.iter().find(is_pool_of).expect("a pooled layer has a pool"),
		plan => plan,
	};
	let (mut fraction, mut claim) = (0, 0);
	for channel in 0..basis.accumulators(layer).len() {
		let claimed = claimed(basis, layer, channel, operator, tables, plan);
		fraction = fraction.max(claimed.fraction);
		claim = claim.max(claimed.magnitude);
	}
	let largest = (claim + truth) << fraction;
	bits_of(largest.max(largest_bias << 1))
}

/// The bits of a number.
fn bits_of(value: u128) -> u32 {
	u128::BITS - value.leading_zeros()
}

/// What a requantisation proves of an accumulator: 2^fraction times it is an integer, and it is of this magnitude at most.
struct Claim {
	fraction: u32,
	magnitude: u128,
}

fn claimed(
	basis: &Basis,
	layer: usize,
	channel: usize,
	operator: &Operator,
	tables: &[Table],
	plan: &LayerPlan,
) -> Claim {
	let interval = basis.accumulators(layer)[channel];
	let (shift, activation) = operator
		.requantisation(channel)
		.expect("an operator with accumulators requantises them");
	let requantisation = Requantisation::claimed(interval, shift, activation);
	let Some(tables_of_plan) = plan.requantise_tables() else {
		let whole = requantisation.whole_bits(shift, activation);
		let ends = [-whole.offset, (1i64 << whole.width) - 1 - whole.offset];
		return Claim {
			fraction: 0,
			magnitude: magnitude(ends.map(i128::from)),
		};
	};
	let table = |id: TableId| &tables[id.0];
	let Table::Range { bits } = table(tables_of_plan.range) else {
		unreachable!("the plan names a range");
	};
	let clamp = table(
		tables_of_plan
			.clamp
			.expect("the plan has a table for what is claimed"),
	);
	let (first, _) = clamp.origin();
	let end = first + clamp.len() as i64;
	// 2^s·q + R − 2^(s−1), for a quotient of the table and 0 ≤ R < 2^s.
	let place = 1i128 << shift;
	let half = i128::from(requantisation.half);
	let (mut lower, upper) = (i128::from(first) * place - half, i128::from(end) * place - half);
	if let LayerPlan::PoolOf { .. } = plan {
		// A maximum less what its limbs can hold.
		let width = bit_length((i64::from(interval.upper) - i64::from(interval.lower)) as u64);
		lower -= (1i128 << (width.div_ceil(*bits).max(1) * bits)) - 1;
	}
	let shift = u32::from(shift);
	Claim {
		fraction: shift.div_ceil(*bits) * bits - shift,
		magnitude: magnitude([lower, upper]),
	}
}

fn magnitude(ends: [i128; 2]) -> u128 {
	ends.map(i128::unsigned_abs).into_iter().max().unwrap_or_default()
}

/// The copy of a word in the rest: a variable that equals it, and its value in this execution, if that is known. Values are
/// secrets, so they stay where they are.
#[derive(Clone, Copy)]
pub(crate) struct WordCopy<'a> {
	pub(crate) variable: Variable,
	pub(crate) value: Option<&'a Fr>,
}
