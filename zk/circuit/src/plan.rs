//! How each layer proves that its values are in range: by bits, or by look-ups in which tables.

use crate::{
	basis::Basis,
	logup::TableId,
	packing::{packings, Packing, WordShape},
	requantise_look_up::RequantiseTables,
	tables::Table,
};
use opensand_nn::{Activation, Interval, Operator};

/// What has been chosen for a layer. Layers that only move values have no choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
	/// By bits.
	Bits,
	/// By look-ups.
	LookUps,
	/// By look-ups, of the greatest accumulator of each window of the MaxPool that alone reads the layer; for both layers.
	Pooled,
}

/// What has been chosen for a circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choices {
	/// The layers' range table has 2^range_bits entries, where there is one: 8..=13.
	pub(crate) range_bits: u32,
	/// Whether input values are looked up in a table of 256.
	pub(crate) bytes: bool,
	/// For each layer.
	pub(crate) layers: Vec<Choice>,
}

/// A layer's choice with the tables that it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LayerPlan {
	/// By bits, or nothing to prove.
	Bits,
	/// By look-ups in a range and, for what is clamped or has images, in a table of pairs.
	LookUps { range: TableId, pairs: Option<TableId> },
	/// The layer's accumulators are pooled before they are requantised, both in the part of the MaxPool.
	Pooled,
	/// A MaxPool of the accumulators of `layer`, requantised with its tables.
	PoolOf {
		layer: usize,
		range: TableId,
		pairs: Option<TableId>,
	},
}

impl LayerPlan {
	/// The table for ranges, where there is one.
	pub(crate) fn range(&self) -> Option<TableId> {
		self.requantise_tables().map(|tables| tables.range)
	}

	/// The tables of a requantisation.
	pub(crate) fn requantise_tables(&self) -> Option<RequantiseTables> {
		match self {
			LayerPlan::LookUps { range, pairs } | LayerPlan::PoolOf { range, pairs, .. } => {
				Some(RequantiseTables {
					range: *range,
					clamp: *pairs,
				})
			}
			LayerPlan::Bits | LayerPlan::Pooled => None,
		}
	}
}

/// The tables of a circuit and who uses them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
	/// All tables; an id is an index.
	pub(crate) tables: Vec<Table>,
	/// The table of all input values.
	pub(crate) bytes: Option<TableId>,
	/// For each layer.
	pub(crate) layers: Vec<LayerPlan>,
	/// Where weights are committed to, how those of each layer that has some are packed.
	pub(crate) packings: Vec<Packing>,
}

impl Plan {
	/// The plan that follows from choices, with the tables of pairs that the layers need by themselves.
	pub(crate) fn new(basis: &Basis, choices: &Choices, pair_tables: &[Option<Table>]) -> Self {
		let mut tables = Vec::new();
		let looks_up = choices.layers.iter().any(|choice| *choice != Choice::Bits);
		let range = TableId(0);
		if looks_up {
			tables.push(Table::Range {
				bits: choices.range_bits,
			});
		}
		let bytes = choices
			.bytes
			.then(|| share(&mut tables, &Table::Range { bits: 8 }));
		let layers = basis.model.architecture().layers().iter().zip(&choices.layers);
		let layers: Vec<LayerPlan> = layers
			.enumerate()
			.map(|(index, (layer, choice))| {
				let is_pool = matches!(layer.operator, Operator::MaxPool(_));
				let source = match choice {
					Choice::Bits => return LayerPlan::Bits,
					Choice::Pooled if !is_pool => return LayerPlan::Pooled,
					Choice::Pooled => usize::from(layer.input) - 1,
					Choice::LookUps => index,
				};
				let pairs = pair_tables[source]
					.as_ref()
					.map(|table| share(&mut tables, table));
				match choice {
					Choice::Pooled => LayerPlan::PoolOf {
						layer: source,
						range,
						pairs,
					},
					_ => LayerPlan::LookUps { range, pairs },
				}
			})
			.collect();
		Self {
			packings: packings(basis, &tables, &layers, WordShape::Any),
			tables,
			bytes,
			layers,
		}
	}

	/// The same plan with words of another shape.
	pub(crate) fn with_words(&self, basis: &Basis, shape: WordShape) -> Self {
		Self {
			packings: packings(basis, &self.tables, &self.layers, shape),
			..self.clone()
		}
	}

	/// How a layer's weights are packed, if it has some and they are committed to.
	pub(crate) fn packing(&self, layer: usize) -> Option<&Packing> {
		self.packings.iter().find(|packing| packing.layer == layer)
	}

	/// The number of words of the weights, with the mask; none where weights are constants.
	pub(crate) fn words(&self) -> usize {
		self.packings.last().map_or(0, |packing| packing.words().end)
	}
}

/// The place of a table that has all entries of `table`: an existing one of its kind, which grows, or a new one.
fn share(tables: &mut Vec<Table>, table: &Table) -> TableId {
	let place = tables.iter_mut().position(|other| other.grow(table));
	TableId(place.unwrap_or_else(|| {
		tables.push(table.clone());
		tables.len() - 1
	}))
}

/// The table of pairs that each layer needs where it looks up.
pub(crate) fn pair_tables(basis: &Basis) -> Vec<Option<Table>> {
	let layers = basis.model.architecture().layers().iter().enumerate();
	layers
		.map(|(index, layer)| {
			let inputs = basis.tensor(layer.input.into());
			match &layer.operator {
				Operator::Relu => Some(Table::Clamp {
					activation: Activation::Relu,
					quotients: inputs,
				}),
				Operator::Lut(images) => Some(Table::Images {
					images: images.clone(),
					indices: inputs,
				}),
				Operator::Softmax(softmax) => Some(Table::Exponentials {
					values: softmax.exponentials.clone(),
				}),
				operator if operator.has_accumulators() => clamp_table(basis, index, operator),
				_ => None,
			}
		})
		.collect()
}

/// The table of a layer's quotients, if some of them are clamped.
fn clamp_table(basis: &Basis, layer: usize, operator: &Operator) -> Option<Table> {
	let (_, activation) = operator.requantisation(0)?;
	let channels = 0..basis.accumulators(layer).len();
	let quotients = channels.filter_map(|channel| {
		let (shift, activation) = operator.requantisation(channel)?;
		let requantisation = basis.requantisation(layer, channel, shift, activation);
		let [lower, upper] = requantisation.quotients;
		let clamped = requantisation.saturates() && requantisation.constant().is_none();
		clamped.then_some(Interval::new(lower as i32, upper as i32))
	});
	quotients.reduce(hull).map(|quotients| Table::Clamp {
		activation,
		quotients,
	})
}

/// The least interval with both.
pub(crate) fn hull(a: Interval, b: Interval) -> Interval {
	Interval::new(a.lower.min(b.lower), a.upper.max(b.upper))
}
