//! The circuit that says that committed words are well-formed weights.

use crate::{
	basis::Basis,
	builder::{Builder, Result},
	circuit::{mock_challenges, CircuitSize, InferenceCircuit},
	error::{CircuitError, MockError},
	linear::{Lc, Variable},
	logup::{Place, TableId},
	packing::{self, Packing, WORD_BITS},
	tables::{Table, MAX_DIGIT_BITS},
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_nn::Model;
use opensand_zk_r1cs::Matrices;
use opensand_zk_verifier::{Challenges, StatementShape};
use std::{collections::BTreeMap, sync::Arc};

/// The bits of a weight, and of a limb of a bias.
const BYTE_BITS: u32 = 8;

/// The circuit with which weights are registered for an inference circuit: each word, but for the mask, is made of int8 weights, or of biases
/// within the declared width. It has no input and no output, and depends on architecture, declared widths and plan only.
#[derive(Clone, Debug)]
pub struct RegistrationCircuit {
	basis: Basis,
	packings: Vec<Packing>,
	tables: Vec<Table>,
	size: CircuitSize,
}

impl RegistrationCircuit {
	/// The registration circuit that belongs to an inference circuit.
	///
	/// # Errors
	/// Where that circuit's weights are constants, and where this one would be too large.
	pub fn of(inference: &InferenceCircuit) -> std::result::Result<Self, CircuitError> {
		let bytes = Table::Range { bits: BYTE_BITS };
		let of_bytes = Self::with_tables(inference, vec![bytes.clone()]);
		let pairs = pair_tables(&inference.plan.packings);
		if pairs.is_empty() {
			return of_bytes;
		}
		let of_pairs = Self::with_tables(inference, [vec![bytes], pairs].concat());
		let pay = match (&of_bytes, &of_pairs) {
			(Ok(bytes), Ok(pairs)) => pairs.size.domain < bytes.size.domain,
			(_, pairs) => pairs.is_ok(),
		};
		if pay {
			of_pairs
		} else {
			of_bytes
		}
	}

	/// The same with these tables, of which the first has all bytes.
	pub(crate) fn with_tables(
		inference: &InferenceCircuit,
		tables: Vec<Table>,
	) -> std::result::Result<Self, CircuitError> {
		let packings = inference.plan.packings.clone();
		if packings.is_empty() {
			return Err(CircuitError::ConstantWeights);
		}
		let mut builder = Builder::counting();
		synthesise(&mut builder, &inference.basis.model, &packings, &tables, None)?;
		let mut size = CircuitSize::of(builder, StatementShape::REGISTRATION)?;
		size.spread(inference.size().domain);
		Ok(Self {
			size,
			basis: inference.basis.clone(),
			packings,
			tables,
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

	/// The constraint matrices, as [`InferenceCircuit::matrices`].
	pub fn matrices(&self) -> std::result::Result<Matrices, CircuitError> {
		Ok(self
			.unspread_matrices()?
			.with_spread_weights(self.size.weight_stride))
	}

	/// The constraint matrices in the order of the circuit's parts.
	pub(crate) fn unspread_matrices(&self) -> std::result::Result<Matrices, CircuitError> {
		let mut builder = Builder::of_matrices(self.size.segments);
		synthesise(&mut builder, self.model(), &self.packings, &self.tables, None)?;
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
		synthesise(
			&mut builder,
			self.model(),
			&self.packings,
			&self.tables,
			Some(Fr::ZERO),
		)?;
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
		synthesise(
			&mut builder,
			self.model(),
			&self.packings,
			&self.tables,
			Some(*mask),
		)?;
		let mut assignment = vec![Fr::ONE, challenges.r, challenges.b, Fr::ZERO];
		assignment.extend_from_slice(committed);
		assignment.extend_from_slice(words);
		assignment.extend(builder.into_values());
		Ok(assignment)
	}

	/// The tables that weights are looked up in.
	#[cfg(test)]
	pub(crate) fn tables(&self) -> &[Table] {
		&self.tables
	}

	/// Checks the model's weights against every constraint without proving, and names the first part that fails.
	pub fn mock(&self) -> std::result::Result<(), MockError> {
		let assignment = self.assign(&self.words(Fr::ONE), &self.commit()?, &mock_challenges())?;
		self.size.check(&self.unspread_matrices()?, &assignment)
	}
}

/// The tables of pairs of digits, of each width for which one saves constraints.
fn pair_tables(packings: &[Packing]) -> Vec<Table> {
	let mut pairs: BTreeMap<u32, usize> = BTreeMap::new();
	for packing in packings {
		if packing.digit_bits <= MAX_DIGIT_BITS {
			let blocks = packing.all_blocks();
			let words = blocks.map(|block| block.outputs.len() / 2 * packing.taps);
			*pairs.entry(packing.digit_bits).or_default() += words.sum::<usize>();
		}
	}
	let tables = pairs.into_iter().filter_map(|(bits, look_ups)| {
		let table = Table::Digits { bits };
		// A pair saves one look-up; a table costs its entries and the comparison of both sums.
		(look_ups > table.len() + 1).then_some(table)
	});
	tables.collect()
}

/// A part of a word: an entry of a table, times a power of two.
struct Chunk {
	table: TableId,
	position: i64,
	/// The entry.
	value: i64,
	/// The exponent of the power.
	place: usize,
}

/// The table of all bytes.
const BYTES: TableId = TableId(0);

/// The parts of a word whose digits, less the least ones, are `digits`, from the lowest on.
fn chunks(digits: &[i64], bytes: u32, digit_bits: u32, pairs: Option<TableId>) -> Vec<Chunk> {
	let digit_place = |digit: usize| digit * digit_bits as usize;
	let mut chunks = Vec::new();
	match pairs.filter(|_| bytes == 1) {
		Some(table) => {
			for (index, pair) in digits.chunks(2).enumerate() {
				let place = digit_place(2 * index);
				chunks.push(match pair {
					[low, high] => Chunk {
						table,
						position: low + (high << BYTE_BITS),
						value: low + (high << digit_bits),
						place,
					},
					_ => Chunk {
						table: BYTES,
						position: pair[0],
						value: pair[0],
						place,
					},
				});
			}
		}
		None => {
			for (index, digit) in digits.iter().enumerate() {
				for limb in 0..bytes {
					let value = digit >> (limb * BYTE_BITS) & 0xff;
					chunks.push(Chunk {
						table: BYTES,
						position: value,
						value,
						place: digit_place(index) + (limb * BYTE_BITS) as usize,
					});
				}
			}
		}
	}
	chunks
}

/// Builds everything in order; with values, where there is a mask.
///
/// All chunks of a word but the last are committed. The last is what remains of the word, divided by its place, and is looked up in the
/// word's row.
fn synthesise(
	builder: &mut Builder,
	model: &Model,
	packings: &[Packing],
	tables: &[Table],
	mask: Option<Fr>,
) -> Result<()> {
	let places = places();
	builder.add_tables(tables)?;
	builder.unit();
	builder.part("weights");
	let copy = builder.rest_field(mask.unwrap_or(Fr::ZERO));
	builder.weights_word(|| copy.into())?;
	let mut look_ups = Vec::new();
	let mut digits = Vec::new();
	for packing in packings {
		let table = Table::Digits {
			bits: packing.digit_bits,
		};
		let pairs = tables.iter().position(|other| *other == table).map(TableId);
		let powers = packing.powers();
		for block in packing.all_blocks() {
			for word in block.words.clone() {
				let bytes = packing.digit_bytes(&block, word);
				let least = -(1i64 << (BYTE_BITS * bytes - 1));
				digits.clear();
				digits.extend(packing.digits(model, &block, word).map(|digit| digit - least));
				let mut chunks = chunks(&digits, bytes, packing.digit_bits, pairs);
				let last = chunks.pop().expect("a word has digits");
				let first = look_ups.len();
				let lower = chunks.iter().map(|chunk| chunk.place).collect::<Vec<_>>();
				look_ups.extend(
					chunks
						.into_iter()
						.map(|chunk| (chunk.table, chunk.position, builder.commit(chunk.value))),
				);
				builder.weights_word_look_up(last.table, last.position, &places[last.place], || {
					let variables = look_ups[first..].iter().zip(lower);
					let terms = variables.map(|((_, _, variable), place)| (places[place].power, *variable));
					let constant: Fr = powers[..digits.len()].iter().sum();
					let constant = (constant * Fr::from(least), Variable::One);
					Lc(terms.chain([constant]).collect())
				})?;
			}
		}
	}
	builder.challenges_part()?;
	builder.part("ranges of weights");
	for (table, position, variable) in look_ups {
		builder.look_up(table, position, || variable.into())?;
	}
	builder.fold(&[])?;
	builder.close_tables()
}

/// The powers of two that occur in a word.
fn places() -> Vec<Place> {
	let half = Fr::from(2u64).inverse().expect("two is not zero");
	let ones = Place {
		power: Fr::ONE,
		inverse: Fr::ONE,
	};
	std::iter::successors(Some(ones), |place| {
		Some(Place {
			power: place.power.double(),
			inverse: place.inverse * half,
		})
	})
	.take(WORD_BITS as usize)
	.collect()
}
