//! The cost model: which choices give the fewest constraints, and with them the smallest domain.
//!
//! A prover's time grows with the domain, the power of two above the constraints, so that constraints are what is
//! minimised. The costs of a layer under each choice are counted by running its own code; those of tables are added
//! once for all who share them. Choices depend on nothing but the model.

use crate::{
	basis::Basis,
	builder::Builder,
	error::CircuitError,
	plan::{pair_tables, Choice, Choices, Plan},
	synthesis::synthesise_model,
	tables::Table,
};
use opensand_nn::{Model, Operator};

/// Sizes of the layers' range table: at least a byte, and at most 2^13, which pairs rely on.
const RANGE_BITS: std::ops::RangeInclusive<u32> = 8..=13;

/// The most entries of a table.
const MAX_TABLE: usize = 1 << 18;

/// What there is to choose from for layers that are decided on together.
type Unit = Vec<Alternative>;

/// A choice for each layer of a unit.
struct Alternative {
	layers: Vec<(usize, Choice)>,
	/// Constraints of these layers, without those of tables.
	constraints: usize,
}

/// What is known of a model before anything is chosen.
struct Survey<'a> {
	basis: &'a Basis,
	pair_tables: Vec<Option<Table>>,
	/// For each layer, the MaxPool that alone reads it, if its accumulators can be pooled.
	pools: Vec<Option<usize>>,
	/// Constraints of each layer by bits.
	bits: Vec<usize>,
}

/// The plan with the fewest constraints that the search finds; the same for the same model.
pub(crate) fn cheapest_plan(basis: &Basis) -> Result<Plan, CircuitError> {
	let mut survey = Survey {
		basis,
		pair_tables: pair_tables(basis),
		pools: pools(&basis.model),
		bits: Vec::new(),
	};
	let layers = basis.model.architecture().layers().len();
	let mut best = Choices {
		range_bits: 0,
		bytes: false,
		layers: vec![Choice::Bits; layers],
	};
	survey.bits = survey.count(&best)?;
	let mut fewest = survey.price(&mut best, survey.bits.iter().sum());
	for range_bits in RANGE_BITS {
		let units = survey.units(range_bits)?;
		let mut choices = Choices {
			range_bits,
			..best.clone()
		};
		survey.search(&units, &mut choices);
		// Committed weights are packed as the shared tables allow, so a unit's own count was an estimate.
		let layers = survey.count(&choices)?.iter().sum();
		let constraints = survey.price(&mut choices, layers);
		if constraints < fewest {
			(best, fewest) = (choices, constraints);
		}
	}
	Ok(Plan::new(basis, &best, &survey.pair_tables))
}

impl Survey<'_> {
	/// Constraints of each layer under these choices, with those of its words.
	fn count(&self, choices: &Choices) -> Result<Vec<usize>, CircuitError> {
		let plan = Plan::new(self.basis, choices, &self.pair_tables);
		let mut builder = Builder::surveying();
		synthesise_model(&mut builder, self.basis, &plan)?;
		let parts = builder.into_parts();
		let mut counts: Vec<usize> = parts[1..].iter().map(|part| part.constraints.len()).collect();
		for packing in &plan.packings {
			counts[packing.layer] += packing.words().len();
		}
		Ok(counts)
	}

	/// Constraints of a circuit but for those that no choice changes, from those of its layers. Decides how input values are
	/// looked up, which no layer depends on but for the sharing of a table.
	fn price(&self, choices: &mut Choices, layers: usize) -> usize {
		let mut price = |bytes: bool| {
			choices.bytes = bytes;
			let plan = Plan::new(self.basis, choices, &self.pair_tables);
			let inputs = self.basis.model.architecture().input_len() as usize * if bytes { 1 } else { 8 };
			// A table costs its entries and the comparison of both sums.
			let tables = plan.tables.iter().map(|table| table.len() + 1);
			layers + inputs + tables.sum::<usize>()
		};
		let (by_bits, by_look_ups) = (price(false), price(true));
		choices.bytes = by_look_ups < by_bits;
		by_bits.min(by_look_ups)
	}

	/// What there is to decide on, with a range table of this size.
	fn units(&self, range_bits: u32) -> Result<Vec<Unit>, CircuitError> {
		let layers = self.basis.model.architecture().layers();
		let fits = |layer: usize| {
			let table = self.pair_tables[layer].as_ref();
			table.is_none_or(|table| table.len() <= MAX_TABLE)
		};
		let choices = |layers: Vec<Choice>| Choices {
			range_bits,
			bytes: false,
			layers,
		};
		let look_up = |layer: usize| {
			if fits(layer) {
				Choice::LookUps
			} else {
				Choice::Bits
			}
		};
		let look_ups: Vec<Choice> = (0..layers.len()).map(look_up).collect();
		let mut pooled = look_ups.clone();
		for (layer, pool) in self.pools.iter().enumerate() {
			if let Some(pool) = pool.filter(|_| fits(layer)) {
				(pooled[layer], pooled[pool]) = (Choice::Pooled, Choice::Pooled);
			}
		}
		let pooled_counts = self.count(&choices(pooled.clone()))?;
		let look_ups = self.count(&choices(look_ups))?;

		let single = |layer: usize| {
			let by_bits = (vec![(layer, Choice::Bits)], self.bits[layer]);
			let by_look_ups = (vec![(layer, Choice::LookUps)], look_ups[layer]);
			let options = [Some(by_bits), fits(layer).then_some(by_look_ups)];
			options.into_iter().flatten().collect::<Vec<_>>()
		};
		let mut units = Vec::new();
		for layer in 0..layers.len() {
			let is_pooled = pooled[layer] == Choice::Pooled;
			if self.bits[layer] == 0 || is_pooled && self.pools[layer].is_none() {
				continue;
			}
			let mut options = single(layer);
			if let Some(pool) = self.pools[layer].filter(|_| is_pooled) {
				let pairs = options.iter().flat_map(|(own, cost)| {
					single(pool).into_iter().map(move |(other, other_cost)| {
						(own.iter().copied().chain(other).collect(), cost + other_cost)
					})
				});
				let both = vec![(layer, Choice::Pooled), (pool, Choice::Pooled)];
				options = pairs
					.chain([(both, pooled_counts[layer] + pooled_counts[pool])])
					.collect();
			}
			let options = options
				.into_iter()
				.map(|(layers, constraints)| Alternative { layers, constraints });
			units.push(options.collect());
		}
		Ok(units)
	}

	/// Finds choices that no change of a single unit makes cheaper. The search starts once from the
	/// choice that is cheapest for each unit with tables for nothing, and once from bits everywhere.
	fn search(&self, units: &[Unit], choices: &mut Choices) {
		let cheapest = units.iter().map(|unit| {
			let options = unit.iter().enumerate();
			let cheapest = options.min_by_key(|(_, option)| option.constraints);
			cheapest.map_or(0, |(index, _)| index)
		});
		let starts = [cheapest.collect(), vec![0; units.len()]];
		let found = starts.map(|start: Vec<usize>| {
			let mut chosen = start;
			let mut choices = choices.clone();
			let mut price = self.price_of(units, &chosen, &mut choices);
			loop {
				let before = price;
				for (index, unit) in units.iter().enumerate() {
					for option in 0..unit.len() {
						let previous = std::mem::replace(&mut chosen[index], option);
						let other = self.price_of(units, &chosen, &mut choices);
						if other < price {
							price = other;
						} else {
							chosen[index] = previous;
						}
					}
				}
				if price == before {
					self.price_of(units, &chosen, &mut choices);
					return (price, choices);
				}
			}
		});
		let [first, second] = found;
		let (_, found) = if second.0 < first.0 { second } else { first };
		*choices = found;
	}

	/// Sets the choices to the chosen options, and prices them.
	fn price_of(&self, units: &[Unit], chosen: &[usize], choices: &mut Choices) -> usize {
		choices.layers.fill(Choice::Bits);
		let mut constraints = 0;
		for (unit, option) in units.iter().zip(chosen) {
			let option = &unit[*option];
			constraints += option.constraints;
			for (layer, choice) in &option.layers {
				choices.layers[*layer] = *choice;
			}
		}
		self.price(choices, constraints)
	}
}

/// For each layer that requantises, the MaxPool that reads it, where nothing else does.
pub(crate) fn pools(model: &Model) -> Vec<Option<usize>> {
	let layers = model.architecture().layers();
	(0..layers.len())
		.map(|layer| {
			let mut readers = layers.iter().enumerate().filter(|(_, reader)| {
				let others = reader.operator.other_inputs().iter();
				others
					.chain([&reader.input])
					.any(|tensor| usize::from(*tensor) == layer + 1)
			});
			let (pool, reader) = readers.next()?;
			let is_pool = matches!(reader.operator, Operator::MaxPool(_));
			let operator = &layers[layer].operator;
			// Only sums are there before they are requantised.
			let is_sum = operator.has_accumulators()
				&& !matches!(operator, Operator::MatMul(_) | Operator::LayerNormalization(_));
			(is_pool && is_sum && readers.next().is_none()).then_some(pool)
		})
		.collect()
}
